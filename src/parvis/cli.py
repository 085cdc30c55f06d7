"""The command line: serve a city, and everything its operator does. Errors are one sentence and a code that is not 0."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import asyncpg
import msgspec
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from parvis import app as program
from parvis import demo, desk, worker
from parvis.base import city as cities
from parvis.base import db as database
from parvis.base import process, schema
from parvis.base import settings as deployment
from parvis.base.archive import BadArchive
from parvis.base.city import OtherCity
from parvis.base.errors import Problem
from parvis.base.postgres import CannotStart
from parvis.base.process import Busy, Child, Ended
from parvis.base.schema import SchemaMismatch
from parvis.base.settings import BadSetting, Settings
from parvis.desk import Addresses, Refusal

SENTENCES = {
    ("username", "ERR_TAKEN"): "This name is taken.",
    ("email", "ERR_TAKEN"): "Somebody has signed up with this address already.",
    ("username", "ERR_INVALID"): "A name has letters, digits and underscores, at most 30 of them.",
    ("email", "ERR_INVALID"): "This is no e-mail address.",
    ("password", "ERR_TOO_SHORT"): "A password has at least eight characters.",
    ("scope", "invalid_scope"): "There is no such scope; see Mastodon's list of OAuth scopes.",
    ("district", "ERR_BLANK"): "A district has a name or a number.",
}


def serve(args: argparse.Namespace) -> int:
    """Serve a city until told to stop."""
    return _serve(args, desk.given(args), args.charter)


def _serve(args: argparse.Namespace, settings: Settings, charter_file: str | None, seeded: bool = False) -> int:
    signal.signal(signal.SIGTERM, _leave)
    where = f"{settings.data} is being served already; stop that first, or choose another folder with --data."
    with process.alone(settings.data / "serve.lock", where):
        process.free(settings.bind, settings.port)
        with desk.reached(settings) as addresses:
            if seeded and addresses.embedded:
                _seed(settings, addresses)
            elif addresses.owner:
                asyncio.run(desk.prepare(settings, addresses.owner, charter_file))
            asyncio.run(desk.checked(settings, addresses.app))
            _tend(msgspec.structs.replace(settings, database_url=addresses.app, data=settings.data.absolute()))
    return 0


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)


def _tend(settings: Settings) -> None:
    environment = {**os.environ, **deployment.to_environment(settings)}
    web = Child("web server", "from parvis import cli; cli.web()", environment, again=False)
    jobs = Child("job worker", "from parvis import worker; worker.start()", environment, again=True)
    process.tend(
        [jobs, web] if settings.jobs else [web],
        lambda: process.listens(settings.bind, settings.port),
        lambda: desk.tell(f"Parvis serves {settings.base} (port {settings.port})"),
    )


def web() -> None:
    """The process above Granian's workers. They die with it as it dies with its own parent."""
    process.die_with_parent()
    settings = deployment.from_environment()
    os.environ.update(process.with_parent(os.environ))
    Server(
        "parvis.app:serve", factory=True, interface=Interfaces.ASGI, address=settings.bind, port=settings.port,
        workers=settings.workers, loop=Loops.uvloop, log_level=LogLevels.warning, respawn_failed_workers=True,
        workers_kill_timeout=5, websockets=True,
    ).serve()


def work(args: argparse.Namespace) -> int:
    """Run the jobs of a city that is served elsewhere."""

    async def adopted(addresses: Addresses) -> Settings:
        async with desk.opened(args, addresses) as found:
            return found.settings

    with desk.reached(desk.given(args)) as addresses:
        os.environ.update(deployment.to_environment(asyncio.run(adopted(addresses))))
        asyncio.run(worker.main())
    return 0


def migrate(args: argparse.Namespace) -> int:
    """Bring a database up to date and found the city in it, as its owner."""
    asyncio.run(desk.prepare(desk.given(args), args.owner_url, args.charter))
    desk.tell("The database is up to date.")
    return 0


def demonstrate(args: argparse.Namespace) -> int:
    """Serve a seeded city on this machine."""
    port = args.port or 8000
    settings = desk.given(
        args, data=Path(args.data or os.environ.get("PARVIS_DATA") or f"data/demo-{port}"), port=port,
        origin=f"http://localhost:{port}", city_name=demo.NAME, city_description=demo.DESCRIPTION,
        contact_email=demo.CONTACT, database_url="",
    )
    return _serve(args, settings, None, seeded=True)


def _seed(settings: Settings, addresses: Addresses) -> None:
    async def sow() -> None:
        await schema.migrate(addresses.owner)
        owner = await database.connect(addresses.owner, size=1)
        app = await program.build(msgspec.structs.replace(settings, database_url=addresses.app))
        try:
            if await demo.interrupted(owner):
                raise Refusal(f"The seeding of {settings.data} was interrupted: remove that folder and start again.")
            async with owner.read() as r:
                found = await cities.city(r)
            if found is None:
                await demo.seed(app, owner)
        finally:
            await app.close()
            await owner.close()

    asyncio.run(sow())
    desk.tell(demo.welcome(settings.base))


def _serving(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, metavar="N", help="the port to listen on (8000)")
    parser.add_argument("--bind", metavar="ADDR", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--handle-domain", metavar="D", help="what follows the @ in handles, if not the origin's host")
    parser.add_argument("--trusted-proxies", metavar="NETS", help="networks whose X-Forwarded-For is believed")
    parser.add_argument("--workers", type=int, metavar="N", help="how many processes answer (2)")
    parser.add_argument("--no-jobs", dest="jobs", action="store_const", const=False, help="leave the jobs to `parvis worker`")
    _founding(parser)


def _founding(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dev", action="store_const", const=True, help="for tests and tools on this machine alone")
    parser.add_argument("--charter", metavar="FILE", help="the charter a new city is founded with (TOML)")


def commands() -> argparse.ArgumentParser:
    """Every command with its options."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", metavar="DIR", help="the folder of the city (data; PARVIS_DATA)")
    shared.add_argument("--origin", metavar="URL", help="the city's address, given once and for good (PARVIS_ORIGIN)")
    shared.add_argument("--database-url", metavar="URL", help="a PostgreSQL of your own, as parvis_app (PARVIS_DATABASE_URL)")
    owned = argparse.ArgumentParser(add_help=False)
    owned.add_argument("--owner-url", metavar="URL", help="the same database as parvis_owner, if it is not the embedded one")
    top = argparse.ArgumentParser(prog="parvis", description="A social server for a city, whose rules its residents make.")
    found = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], *parents: argparse.ArgumentParser,
                into: Any = found, about: str = "") -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = into.add_parser(name, parents=[shared, *parents], help=about, description=about)
        parser.set_defaults(run=run)
        return parser

    def group(name: str, about: str) -> Any:
        return found.add_parser(name, help=about).add_subparsers(required=True, metavar="COMMAND")

    serving = command("serve", serve, about="serve a city: web, jobs and, unless one is given, the database")
    _serving(serving)
    command("worker", work, about="run the jobs of a city")
    migrating = command("migrate", migrate, about="bring a database up to date, as its owner")
    migrating.add_argument("--owner-url", metavar="URL", required=True)
    migrating.add_argument("--handle-domain", metavar="D")
    _founding(migrating)
    command("demo", demonstrate, about="serve a seeded demonstration city").add_argument("--port", type=int, metavar="N")
    made = command("create", desk.here(desk.create_account), into=group("account", "people"), about="let somebody settle here")
    made.add_argument("name")
    made.add_argument("--email", required=True)
    made.add_argument("--password", required=True)
    made.add_argument("--confirmed", action="store_true", help="the address needs no letter")
    made.add_argument("--role", choices=("resident", "moderator"))
    made.add_argument("--locale", choices=("fr", "en"), default="fr")
    token = command("create", desk.here(desk.create_token), into=group("token", "keys for programs"), about="print a new token")
    token.add_argument("name")
    token.add_argument("--scopes", default="read write follow push")
    token.add_argument("--token", metavar="VALUE", help="a chosen value, on localhost only")
    attesting = command("attest", desk.here(desk.attest), into=group("resident", "who lives here"), about="attest a residency")
    attesting.add_argument("name")
    attesting.add_argument("--district", required=True)
    command("verify", desk.here(desk.verify_ledger), into=group("ledger", "the public record"), about="recompute and compare it all")
    public = command("public", desk.here(desk.export_public), into=group("export", "open data"), about="write what is public as JSON")
    public.add_argument("folder", metavar="DIR")
    url = command("url", desk.here(desk.show_url), into=group("database", "the database"), about="print its address for a role")
    url.add_argument("--role", choices=("app", "owner"), default="app")
    clock = command("advance", desk.here(desk.advance_clock), owned, into=group("clock", "time in a --dev city"), about="let time pass")
    clock.add_argument("duration", metavar="8d")
    command("backup", desk.here(desk.backup), owned, about="database, keys and files into one file").add_argument("file", metavar="FILE")
    command("restore", desk.restore, about="a backup into a fresh folder").add_argument("file", metavar="FILE")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    args = commands().parse_args(arguments)
    try:
        code: int = args.run(args)
    except KeyboardInterrupt:
        return 130
    except Problem as problem:
        field = getattr(problem, "field", "")
        desk.note(SENTENCES.get((field, problem.word)) or f"Refused: {field} {problem}.".replace("  ", " "))
    except (Refusal, BadSetting, CannotStart, SchemaMismatch, OtherCity, Busy, Ended, BadArchive) as error:
        desk.note(str(error))
    except asyncpg.PostgresError as error:
        desk.note(f"The database refuses: {error}.")
    except OSError as error:
        desk.note(f"{error.filename or 'The system'}: {error.strerror or error}.")
    else:
        return code
    return 1

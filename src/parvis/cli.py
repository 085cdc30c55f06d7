"""The command line: serve a city, and all its operator does. Errors are one sentence and a code that is not 0."""

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
from parvis.base.binaries import CannotStart
from parvis.base.city import OtherCity
from parvis.base.errors import Problem
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
    ("text", "blank"): "Write what to announce, or name what to take back with --withdraw.",
    ("text", "too_long"): "An announcement has at most 5,000 characters.",
    ("starts_at", "missing"): "What lasts all day takes --starts.",
    ("ends_at", "invalid"): "An announcement ends after it starts and is published, and in the future.",
    ("shortcode", "invalid"): "An emoji's name has letters, digits and underscores, at least two of them.",
    ("category", "too_long"): "A category has at most 100 characters.",
    ("file", "too_large"): "An emoji's picture has at most 256 KB.",
    ("file", "too_many_pixels"): "An emoji's picture has at most 4,000,000 pixels.",
    ("url", "invalid"): "A list has an address that begins with https://, or is a file here.",
    ("file", "not_a_list"): "This is no list of domains as Mastodon exports it.",
    ("", "list_known"): "This list is read already.",
    ("relay", "invalid"): "A relay is named by the address of its actor, as https://relay.example/actor.",
    ("", "relay_known"): "This relay has been asked already.",
    ("file", "not_an_image"): "An emoji's picture is a PNG, GIF or WebP file.",
}


def serve(args: argparse.Namespace) -> int:
    """Serve a city until told to stop."""
    return _serve(desk.given(args), _charter(args))


def _charter(args: argparse.Namespace) -> str | None:
    return Path(args.charter).read_text(encoding="utf-8") if args.charter else None


def _serve(settings: Settings, charter: str | None, seeded: bool = False) -> int:
    signal.signal(signal.SIGTERM, _leave)
    where = f"{settings.data} is being served already; stop that first, or choose another folder with --data."
    with process.alone(settings.data / "serve.lock", where):
        process.free(settings.bind, settings.port)
        with desk.reached(settings) as addresses:
            if seeded and addresses.embedded:
                _seed(settings, addresses)
            elif addresses.owner:
                asyncio.run(desk.prepare(settings, addresses.owner, charter))
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
        workers_kill_timeout=5, websockets=True, backpressure=process.open_files(),
    ).serve()


def work(args: argparse.Namespace) -> int:
    """Run the jobs of a city that is served elsewhere."""

    async def adopted(addresses: Addresses) -> Settings:
        async with desk.opened(args, addresses) as found:
            return found.settings

    with desk.reached(desk.given(args)) as addresses:
        os.environ.update(deployment.to_environment(asyncio.run(adopted(addresses))))
        worker.work()
    return 0


def migrate(args: argparse.Namespace) -> int:
    """Bring a database up to date and found the city in it, as its owner."""
    asyncio.run(desk.prepare(desk.given(args), args.owner_url, _charter(args)))
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
    return _serve(settings, None, seeded=True)


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


def _options(parser: argparse.ArgumentParser, **about: str) -> None:
    """Options that take a value, which the text before the colon names."""
    for name, text in about.items():
        metavar, _, said = text.partition(": ")
        kind = int if metavar == "N" else str
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, type=kind, help=said)


def _serving(parser: argparse.ArgumentParser) -> None:
    _options(
        parser, port="N: the port to listen on (8000)", bind="ADDR: the address to listen on (127.0.0.1)",
        trusted_proxies="NETS: networks whose X-Forwarded-For is believed", workers="N: how many processes answer (2)",
    )
    parser.add_argument("--no-jobs", dest="jobs", action="store_const", const=False, help="leave them to `worker`")
    _founding(parser)


def _founding(parser: argparse.ArgumentParser) -> None:
    _options(
        parser, handle_domain="D: what follows the @ in handles, if not the origin's host",
        charter="FILE: the charter a new city is founded with (TOML)",
    )
    parser.add_argument("--dev", action="store_const", const=True, help="for tests and tools on this machine alone")


class Commands:
    """Every command with its options."""

    def __init__(self) -> None:
        self.shared = argparse.ArgumentParser(add_help=False)
        _options(
            self.shared, data="DIR: the folder of the city (data; PARVIS_DATA)",
            origin="URL: the city's address, given once and for good (PARVIS_ORIGIN)",
            database_url="URL: a PostgreSQL of your own, as parvis_app (PARVIS_DATABASE_URL)",
        )
        about = "A social server for a city, whose rules its residents make."
        self.parser = argparse.ArgumentParser(prog="parvis", description=about)
        self.found = self.parser.add_subparsers(required=True, metavar="COMMAND")
        self._groups: dict[str, Any] = {}
        self._serve()
        self._people()
        self._things()
        self._relays()
        self._public()
        self._keeping()

    def _add(self, name: str, run: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        group, _, last = name.rpartition(" ")
        if group and group not in self._groups:
            grouped = self.found.add_parser(group, help=about)
            self._groups[group] = grouped.add_subparsers(required=True, metavar="COMMAND")
        into = self._groups[group] if group else self.found
        parser: argparse.ArgumentParser = into.add_parser(last, parents=[self.shared], help=about, description=about)
        parser.set_defaults(run=run)
        return parser

    def _serve(self) -> None:
        _serving(self._add("serve", serve, "serve a city: web, jobs and, unless one is given, the database"))
        self._add("worker", work, "run the jobs of a city that is served elsewhere")
        migrating = self._add("migrate", migrate, "bring a database up to date and found the city, as its owner")
        migrating.add_argument("--owner-url", metavar="URL", required=True)
        _founding(migrating)
        _options(self._add("demo", demonstrate, "serve a seeded demonstration city"), port="N: the port (8000)")

    def _people(self) -> None:
        made = self._add("account create", desk.here(desk.create_account), "let somebody settle here")
        made.add_argument("name")
        made.add_argument("--email", required=True)
        made.add_argument("--password", required=True)
        made.add_argument("--confirmed", action="store_true", help="the address needs no letter")
        made.add_argument("--role", choices=("resident", "moderator"))
        made.add_argument("--locale", choices=("fr", "en"), default="fr")
        token = self._add("token create", desk.here(desk.create_token), "print a new token for a program")
        token.add_argument("name")
        token.add_argument("--scopes", default="read write follow push")
        token.add_argument("--token", metavar="VALUE", help="a chosen value, on localhost only")
        attesting = self._add("resident attest", desk.here(desk.attest), "write down that somebody lives here")
        attesting.add_argument("name")
        attesting.add_argument("--district", required=True)

    def _things(self) -> None:
        drawing = self._add("emoji add", desk.here(desk.add_emoji), "give the city a small picture with a name")
        drawing.add_argument("name")
        drawing.add_argument("file", metavar="FILE")
        _options(drawing, category="C: under what it stands among the others")
        telling = self._add("announce", desk.here(desk.announce), "tell everybody something, or take it back")
        telling.add_argument("text", nargs="?", default="")
        _options(
            telling, starts="WHEN: when what is announced begins (2026-06-21 or 2026-06-21T18:30+02:00; UTC)",
            ends="WHEN: when it is over, and no longer shown", at="WHEN: when to publish, if not at once",
            withdraw="N: the announcement to take back",
        )
        telling.add_argument("--all-day", action="store_true", help="of --starts and --ends only the days count")
        self._add("emoji remove", desk.here(desk.remove_emoji), "take an emoji of the city away").add_argument("name")

    def _relays(self) -> None:
        adding = self._add("relay add", desk.here(desk.add_relay), "ask a relay to pass public posts on, both ways")
        leaving = self._add("relay remove", desk.here(desk.remove_relay), "have nothing more to do with a relay")
        for parser in (adding, leaving):
            parser.add_argument("url", metavar="URL", help="the address of the relay's actor")
        self._add("relay list", desk.here(desk.list_relays), "show the relays, and what they said")

        closing = self._add("allow-list", desk.here(desk.switch_allow_list), "speak only with servers that are welcome")
        closing.add_argument("state", choices=("on", "off", "show"))

        reading = self._add("domain-list add", desk.here(desk.add_list), "read a list of servers that others keep out")
        reading.add_argument("source", metavar="URL|FILE", help="a CSV file as Mastodon exports its domain blocks")
        _options(reading, name="NAME: what the list is called")
        self._add("domain-list show", desk.here(desk.show_lists), "show the lists, and what they propose")
        ending = self._add("domain-list remove", desk.here(desk.remove_list), "read a list no more")
        ending.add_argument("number", type=int, metavar="N")

    def _public(self) -> None:
        self._add("ledger verify", desk.here(desk.verify_ledger), "recompute the public record and compare")
        public = self._add("export public", desk.here(desk.export_public), "write what is public as JSON files")
        public.add_argument("folder", metavar="DIR")

    def _keeping(self) -> None:
        url = self._add("database url", desk.here(desk.show_url), "print the database's address for a role")
        url.add_argument("--role", choices=("app", "owner"), default="app")
        clock = self._add("clock advance", desk.here(desk.advance_clock), "let time pass in a --dev city")
        clock.add_argument("duration", metavar="8d")
        packing = self._add("backup", desk.here(desk.backup), "database, keys and files into one file")
        packing.add_argument("file", metavar="FILE")
        for parser in (clock, packing):
            _options(parser, owner_url="URL: the same database as parvis_owner, if it is not the embedded one")
        self._add("restore", desk.restore, "a backup into a fresh folder").add_argument("file", metavar="FILE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    args = Commands().parser.parse_args(arguments)
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

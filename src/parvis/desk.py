"""The operator's desk: what is done for a city by hand, whether it is served at this moment or not."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec

from parvis import wiring
from parvis.access import actions as access
from parvis.access import policy as scopes
from parvis.access import queries as users
from parvis.access.model import SignUp
from parvis.accounts import queries as accounts
from parvis.accounts.model import Account
from parvis.announcements import actions as announcements
from parvis.announcements.model import Notice
from parvis.base import archive, files, log, postgres, process, schema
from parvis.base import city as cities
from parvis.base import db as database
from parvis.base import settings as deployment
from parvis.base.clock import Clock, mastodon_time
from parvis.base.db import Db
from parvis.base.errors import NotFound, Problem
from parvis.base.ids import LARGEST, Page
from parvis.base.postgres import Embedded
from parvis.base.settings import Settings
from parvis.borders import actions as borders
from parvis.borders import queries as advice
from parvis.charter import actions as charter
from parvis.charter import queries as articles
from parvis.emojis import actions as emojis
from parvis.federation import relays
from parvis.federation.relaying import queries as relaying
from parvis.ledger import actions as ledger
from parvis.ledger import queries as record
from parvis.moderation import queries as moderation
from parvis.peers import queries as peers
from parvis.residency import actions as residency
from parvis.residency.model import Operator

LOOPBACK = ("localhost", "127.0.0.1", "::1")
DURATION = re.compile(r"([1-9][0-9]{0,6})(s|m|h|d)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
CLOCK_IS_READ = 0.6
ATTESTED = timedelta(days=365)
EVERYTHING = LARGEST >> 32
MOST_SHOWN = 10_000


class Refusal(Exception):
    """What was asked cannot be done; one sentence."""


class Here(msgspec.Struct, frozen=True):
    """The city a command works on: its settings, its database, and the owner's address where we know it."""

    settings: Settings
    db: Db
    owner_url: str
    embedded: Embedded | None


class Addresses(msgspec.Struct, frozen=True):
    """How the application and, where we may know, the owner reach the database."""

    app: str
    owner: str
    embedded: Embedded | None = None


def given(args: argparse.Namespace, **more: object) -> Settings:
    """Settings of the environment, overruled by the options of this call."""
    names = [field.name for field in msgspec.structs.fields(Settings)]
    options = {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}
    if "data" in options:
        options["data"] = Path(options["data"])
    return deployment.from_environment(**{**options, **more})


@contextlib.contextmanager
def reached(settings: Settings, owner_url: str = "") -> Iterator[Addresses]:
    """The database: the one given, or the embedded one, which the last of its users stops."""
    if settings.database_url:
        yield Addresses(settings.database_url, owner_url)
        return
    with process.among(settings.data / "postgres.users", lambda: postgres.stop(settings.data)):
        embedded = postgres.start(settings.data)
        yield Addresses(embedded.url("parvis_app"), embedded.url("parvis_owner"), embedded)


async def prepare(settings: Settings, owner_url: str, text: str | None) -> None:
    """Bring the schema up to date, found the city with its first charter, or see that it is the same one."""
    await schema.migrate(owner_url)
    db = await database.connect(owner_url, size=1)
    try:
        async with db.write() as tx:
            await cities.found(tx, settings)
            found = await cities.city(tx)
            if found is not None:
                cities.compared(found, settings)
            if await articles.current_version(tx) is None and not await articles.charter_versions(tx):
                await charter.found(tx, charter.document(text or charter.provisional()))
            elif text:
                note("The charter stands already, so --charter is not read: residents change it by a vote.")
    finally:
        await db.close()


async def checked(settings: Settings, app_url: str) -> None:
    """Refuse to serve on a database that is not ready for this city."""
    await schema.check(app_url)
    db = await database.connect(app_url, size=1)
    try:
        async with db.read() as r:
            found = await cities.city(r)
    finally:
        await db.close()
    if found is None:
        raise Refusal("No city is founded in this database: run `parvis migrate --owner-url URL --origin URL` first.")
    cities.compared(found, settings)


def tell(result: object) -> None:
    """Print a result."""
    sys.stdout.write(f"{result}\n")
    sys.stdout.flush()


def note(sentence: str) -> None:
    """Say something that is no result."""
    sys.stderr.write(f"parvis: {sentence}\n")


@contextlib.asynccontextmanager
async def opened(args: argparse.Namespace, addresses: Addresses) -> AsyncIterator[Here]:
    """The city of this database, whatever origin it was founded with."""
    named = args.origin or os.environ.get("PARVIS_ORIGIN")
    if named and addresses.owner and not await cities.founded(addresses.owner):
        await prepare(given(args), addresses.owner, None)
    await schema.check(addresses.app)
    db = await database.connect(addresses.app, clock=Clock(), reactions=wiring.REACTIONS, size=2)
    try:
        async with db.read() as r:
            found = await cities.city(r)
            db.clock.offset = await cities.clock_ahead(r)
        if found is None:
            raise Refusal("No city is founded here yet: start `parvis serve --origin URL` first.")
        settings = given(
            args, origin=found.origin, handle_domain=found.handle_domain, dev=found.dev, database_url=addresses.app
        )
        if named and named.rstrip("/") != found.origin:
            cities.compared(found, given(args, dev=found.dev, handle_domain=found.handle_domain))
        yield Here(settings, db, addresses.owner, addresses.embedded)
    finally:
        await db.close()


def here(deed: Callable[[Here, argparse.Namespace], Awaitable[int | None]]) -> Callable[[argparse.Namespace], int]:
    """A command that works on a city, served at this moment or not."""

    def run(args: argparse.Namespace) -> int:
        log.start()
        settings = given(args, origin=None, handle_domain=None, dev=None)
        named = args.origin or os.environ.get("PARVIS_ORIGIN")
        if not settings.database_url and not named and not (settings.data / "postgres").exists():
            raise Refusal(f"There is no city in {settings.data}: start `parvis serve` first, or name --data.")

        async def city(addresses: Addresses) -> int:
            async with opened(args, addresses) as found:
                return await deed(found, args) or 0

        with reached(settings, getattr(args, "owner_url", None) or "") as addresses:
            return asyncio.run(city(addresses))

    return run


async def _account(here: Here, name: str) -> Account:
    async with here.db.read() as r:
        found = await accounts.by_handle(r, name.removeprefix("@"), None)
    if found is None or found.deleted_at:
        raise Refusal(f"Nobody here is called {name}.")
    return found


async def create_account(here: Here, args: argparse.Namespace) -> None:
    """Let somebody settle here."""
    prepared = await access.prepare(here.settings, SignUp(args.name, args.email, args.password, args.locale))
    async with here.db.write() as tx:
        made = await access.sign_up(tx, prepared, here.settings, confirmed=args.confirmed)
        if args.role:
            await users.appoint(tx, made.id, args.role)
    tell(made.id)


async def create_token(here: Here, args: argparse.Namespace) -> None:
    """Give an account's key to a program of the operator."""
    if args.token and urlsplit(here.settings.origin).hostname not in LOOPBACK:
        raise Refusal("A token may be chosen on localhost only; leave --token out and take the one that is printed.")
    account = await _account(here, args.name)
    wanted = scopes.scopes(args.scopes)
    try:
        async with here.db.write() as tx:
            token, _ = await access.issue(tx, account.id, wanted, None, args.token)
    except asyncpg.UniqueViolationError as error:
        raise Refusal("This token is in use already; choose another.") from error
    tell(token)


async def attest(here: Here, args: argparse.Namespace) -> None:
    """Write down that the owner of an account lives here."""
    account = await _account(here, args.name)
    async with here.db.write() as tx:
        await residency.ask(tx, Operator(args.district, tx.now + ATTESTED), account.id)
    tell(f"{account.username} lives in district {args.district}.")


async def announce(here: Here, args: argparse.Namespace) -> None:
    """Tell everybody something, or take it back."""
    if args.withdraw is not None:
        try:
            async with here.db.write() as tx:
                await announcements.withdraw(tx, args.withdraw)
        except NotFound as error:
            raise Refusal(f"Nothing is announced under {args.withdraw}.") from error
        tell(f"{args.withdraw} is withdrawn.")
        return
    starts_at, ends_at, due_at = (_moment(text) for text in (args.starts, args.ends, args.at))
    notice = Notice(text=args.text, starts_at=starts_at, ends_at=ends_at, all_day=args.all_day, due_at=due_at)
    async with here.db.write() as tx:
        made = await announcements.announce(tx, notice, here.settings.base, here.settings.domain)
    tell(made)


def _moment(text: str | None) -> datetime | None:
    """A day or a time of day; UTC, unless a zone is written."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal(f"{text} is no time: write 2026-06-21, or 2026-06-21T18:30+02:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def add_emoji(here: Here, args: argparse.Namespace) -> None:
    """Give the city an emoji, or draw one anew."""
    body = await asyncio.to_thread(Path(args.file).read_bytes)
    kept = await emojis.keep(files.opened(here.settings), body)
    try:
        async with here.db.write() as tx:
            useless = await emojis.add(tx, args.name, kept, args.category)
    except Problem:
        await emojis.discard(files.opened(here.settings), kept.names)
        raise
    await emojis.discard(files.opened(here.settings), useless)
    tell(f":{args.name.strip(':')}: is an emoji of the city.")


async def remove_emoji(here: Here, args: argparse.Namespace) -> None:
    """Take an emoji of the city away, and its picture from the store."""
    try:
        async with here.db.write() as tx:
            useless = await emojis.remove(tx, args.name)
    except NotFound as error:
        raise Refusal(f"The city has no emoji :{args.name.strip(':')}:.") from error
    await emojis.discard(files.opened(here.settings), useless)
    tell(f":{args.name.strip(':')}: is gone; posts show its name instead.")


async def add_relay(here: Here, args: argparse.Namespace) -> None:
    """Ask a relay to pass open posts on."""
    async with here.db.write() as tx:
        await relays.add(tx, args.url)
    tell(f"{args.url} is asked; `parvis relay list` shows what it says.")


async def remove_relay(here: Here, args: argparse.Namespace) -> None:
    """Have nothing more to do with a relay."""
    try:
        async with here.db.write() as tx:
            await relays.remove(tx, args.url, here.settings.base)
    except NotFound as error:
        raise Refusal(f"{args.url} was not asked.") from error
    tell(f"{args.url} is given nothing more.")


async def list_relays(here: Here, args: argparse.Namespace) -> None:
    """Show each relay, and what it said."""
    async with here.db.read() as r:
        for relay in await relaying.known(r):
            tell(f"{relay.state} {relay.actor}")


async def switch_allow_list(here: Here, args: argparse.Namespace) -> None:
    """Speak only with servers that moderators said are welcome, or with every server again; or show how it is."""
    async with here.db.write() as tx:
        if args.state != "show":
            await (peers.close(tx) if args.state == "on" else peers.open_up(tx))
        closed = await peers.is_closed(tx)
        welcome = await peers.allows(tx, Page(limit=MOST_SHOWN))
    tell("Only servers that are welcome are spoken with:" if closed else "Every server is spoken with. Welcome are:")
    for server in welcome:
        tell(f"  {server.domain}")


async def add_list(here: Here, args: argparse.Namespace) -> None:
    """Read a list of servers that others keep; a file is taken in at once, an address by the worker, once a day."""
    url = args.source if "://" in args.source else None
    text = None if url else await asyncio.to_thread(Path(args.source).read_text, "utf-8")
    async with here.db.write() as tx:
        made = await borders.subscribe(tx, None, args.name or args.source.rpartition("/")[2], url)
        if text is not None:
            await borders.hand_in(tx, made, text, here.settings.domain)
    tell(f"List {made} is read: what it says is proposed to the moderators, and has no effect.")


async def remove_list(here: Here, args: argparse.Namespace) -> None:
    """Read a list no more."""
    try:
        async with here.db.write() as tx:
            await borders.unsubscribe(tx, args.number)
    except NotFound as error:
        raise Refusal(f"There is no list {args.number}.") from error
    tell(f"List {args.number} is read no more; what was decided after it stands.")


async def show_lists(here: Here, args: argparse.Namespace) -> None:
    """Show each list, and what of it waits for a moderator's answer."""
    async with here.db.read() as r:
        for one in await advice.lists(r):
            failed = f", not read: {one.failed}" if one.failed else ""
            tell(f"{one.id} {one.name} ({one.url or 'a file'}{failed}): {one.proposals} proposals")
            for row in await advice.proposals(r, Page(limit=MOST_SHOWN), one.id):
                tell(f"  {row.severity} {row.domain}" + (f" (now {row.standing})" if row.standing else ""))


async def verify_ledger(here: Here, args: argparse.Namespace) -> int:
    """Recompute the public record and the charter's chain from what they say."""
    key = ledger.signing_key(here.settings).public_key()
    async with here.db.read() as r:
        problems = await ledger.verify(r, key, here.settings.domain)
        broken = await articles.broken_hashes(r)
        problems += [f"charter version {number} is not what its hash says" for number in broken]
        last = await record.checkpoint(r)
    for problem in problems:
        note(problem)
    size = last.size if last else 0
    tell(f"{len(problems)} problems in {size} signed entries." if problems else f"The {size} signed entries verify.")
    return 1 if problems else 0


async def export_public(here: Here, args: argparse.Namespace) -> None:
    """Write what anyone may read, for anyone to keep and check."""
    async with here.db.read() as r:
        versions = await articles.charter_versions(r)
        laws = {a.id: a for version in versions for a in await articles.in_force(r, version.in_force_from)}
        proposals = await articles.proposals(r, None, EVERYTHING)
        closed = [p.id for p in proposals if p.state in ("contest", "promulgated", "rejected")]
        tallies = {str(number): await charter.tally(r, number) for number in closed}
        leaves = await record.leaves(r, 0, EVERYTHING)
        pages: Mapping[str, Any] = {
            "charter": {"versions": versions, "articles": list(laws.values())},
            "proposals": {"proposals": proposals, "tallies": tallies},
            "register": await moderation.register(r, None, EVERYTHING),
            "ledger": {
                "origin": here.settings.domain, "public_key": ledger.verifier_key(here.settings),
                "checkpoints": [head.note for head in await record.checkpoints(r)],
                "leaves": [
                    {"index": leaf.index, "entry": leaf.data.decode(), "salt": b64encode(leaf.salt).decode(),
                     "leaf_hash": leaf.leaf_hash.hex()} for leaf in leaves
                ],
            },
        }
    _write_pages(Path(args.folder), pages)
    tell(f"{len(pages)} files in {args.folder}.")


def _write_pages(folder: Path, pages: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages.items():
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(page), indent=2))


async def show_url(here: Here, args: argparse.Namespace) -> None:
    """Print how a role reaches the database."""
    if here.embedded:
        tell(here.embedded.url(f"parvis_{args.role}"))
    elif args.role == "app":
        tell(here.settings.database_url)
    else:
        raise Refusal("The owner's address is known to whoever runs `parvis migrate`, not to the city's servers.")


async def advance_clock(here: Here, args: argparse.Namespace) -> None:
    """Let time pass, where nobody's vote or measure is real."""
    length = DURATION.fullmatch(args.duration)
    if length is None:
        raise Refusal(f"{args.duration} is no length of time: write 20s, 5m, 2h or 8d.")
    if not here.settings.dev:
        raise Refusal("Only the clock of a --dev city can be moved.")
    if not here.owner_url:
        raise Refusal("Moving the clock takes the owner of the database: name it with --owner-url.")
    owner = await database.connect(here.owner_url, size=1)
    try:
        async with owner.write() as tx:
            await cities.advance_clock(tx, timedelta(**{UNITS[length[2]]: int(length[1])}))
            ahead = await cities.clock_ahead(tx)
    finally:
        await owner.close()
    time.sleep(CLOCK_IS_READ)  # noqa: ASYNC251  # nothing else runs here; every process of the city reads it meanwhile
    tell(f"It is {mastodon_time(datetime.now(UTC) + ahead)} in the city.")


async def backup(here: Here, args: argparse.Namespace) -> None:
    """Put database, keys and files into one file."""
    url = here.embedded.url("postgres") if here.embedded else here.owner_url
    if not url:
        raise Refusal("A backup takes the owner of the database: name it with --owner-url.")
    label = archive.Label(archive.FORMAT, here.settings.origin, mastodon_time(datetime.now(UTC)))
    archive.pack(here.settings.data, url, label, Path(args.file))
    tell(f"{args.file} holds {here.settings.origin}; keep it as secret as the city's keys.")


def restore(args: argparse.Namespace) -> int:
    """Make a city again from a backup, in a fresh folder, with the embedded database."""
    settings = given(args, origin=None, handle_domain=None, dev=None)
    if settings.database_url:
        raise Refusal("restore makes an embedded database; for another, give the backup's database.dump to pg_restore.")
    if not Path(args.file).is_file():
        raise Refusal(f"There is no file {args.file}.")
    label, dump = archive.unpack(Path(args.file), settings.data)
    with reached(settings) as addresses:
        if addresses.embedded:
            archive.load(addresses.embedded.url("postgres"), dump)
    dump.unlink()
    tell(f"{settings.data} holds {label.origin} as it was at {label.made_at}.")
    return 0

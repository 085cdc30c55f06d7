"""The command line: its contract, and that every mistake is one sentence and a code that is not 0."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis import cli, demo, desk
from parvis.base import archive, process
from parvis.base.archive import BadArchive
from parvis.base.city import City, OtherCity, compared
from parvis.base.process import Busy
from parvis.base.settings import Settings
from parvis.charter import actions as charter

CONTRACT = """
serve --data DIR --port 8001 --origin http://localhost:8001 --bind 127.0.0.1 --handle-domain d.example --workers 2 --no-jobs
serve --trusted-proxies 10.0.0.0/8 --database-url postgresql:///x --dev --charter FILE
worker
migrate --owner-url postgresql:///x
demo --data DIR --port 8000
account create alice --email a@example.org --password motdepasse --confirmed --role moderator
token create alice --scopes read --token VALUE
resident attest alice --district 11
announce text --starts 2026-06-21 --ends 2026-06-22T12:00 --at 2026-06-20T08:00 --all-day
announce --withdraw 12
emoji add ville FILE --category City
emoji remove ville
relay add https://relay.example/actor
relay remove https://relay.example/actor
relay list
allow-list on
domain-list add https://lists.example/blocks.csv --name Neighbours
domain-list show
domain-list remove 7
ledger verify
export public DIR
database url --role app
clock advance 8d
backup FILE
restore FILE
""".strip().splitlines()


@pytest.mark.parametrize("line", CONTRACT)
def test_the_command_line_is_the_contract(line: str) -> None:
    assert callable(cli.Commands().parser.parse_args(line.split()).run)


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(arguments) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("parvis: ")
    assert said.err.count("\n") == 1
    return said.err


def test_a_city_that_is_not_there_is_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint(capsys, "token", "create", "alice", "--data", str(tmp_path / "none"))
    assert "There is no city in" in said
    assert not (tmp_path / "none").exists()


def test_plain_http_is_for_localhost_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "must be https" in complaint(capsys, "serve", "--origin", "http://parvis.example", "--data", str(tmp_path))


def test_dev_refuses_an_origin_that_is_not_loopback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = complaint(capsys, "serve", "--dev", "--origin", "https://parvis.example", "--data", str(tmp_path))
    assert "--dev" in said


def test_a_missing_charter_is_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No such file" in complaint(capsys, "serve", "--charter", str(tmp_path / "x"), "--data", str(tmp_path / "d"))


def test_two_servers_of_one_folder_are_refused(tmp_path: Path) -> None:
    with process.alone(tmp_path / "lock", "taken"), pytest.raises(Busy, match="taken"), process.alone(tmp_path / "lock", "taken"):
        pytest.fail("the second one came in")


def test_the_last_one_out_turns_off_the_light(tmp_path: Path) -> None:
    lights: list[str] = []
    with process.among(tmp_path / "users", lambda: lights.append("last")):
        with process.among(tmp_path / "users", lambda: lights.append("first")):
            pass
        assert lights == []
    assert lights == ["last"]


def test_a_changed_origin_is_refused() -> None:
    found = City("http://localhost:8001", "localhost:8001", dev=True)
    compared(found, Settings(origin="http://localhost:8001/", dev=True))
    for other in (Settings(origin="http://localhost:8002", dev=True), Settings(origin="http://localhost:8001"),
                  Settings(origin="http://localhost:8001", dev=True, handle_domain="ville.example")):
        with pytest.raises(OtherCity):
            compared(found, other)


@given(st.text(max_size=8))
def test_a_length_of_time_is_a_number_and_a_unit(text: str) -> None:
    known = desk.DURATION.fullmatch(text)
    assert bool(known) == (text[-1:] in desk.UNITS and text[:-1].isascii() and text[:-1].isdigit() and text[0] != "0"
                           and len(text) <= 8)


def packed(path: Path, *members: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        label = archive.Label(archive.FORMAT, "http://localhost", "today")
        archive._add_bytes(tar, "backup.json", archive.msgspec.json.encode(label))
        for name in members:
            archive._add_bytes(tar, name, b"x")
    return path


@pytest.mark.parametrize("name", ["../secrets/x", "/etc/x", "secrets/../../x", "postgres/x"])
def test_a_backup_cannot_write_outside_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArchive):
        archive.unpack(packed(tmp_path / "b.tgz", name), tmp_path / "city")
    assert not (tmp_path / "x").exists()


def test_a_backup_is_laid_with_private_modes(tmp_path: Path) -> None:
    archive.unpack(packed(tmp_path / "b.tgz", "secrets/seal.key", "files/uploads/a.jpg"), tmp_path / "city")
    assert (tmp_path / "city/secrets/seal.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "city/secrets").stat().st_mode & 0o777 == 0o700


def test_a_backup_is_not_laid_over_a_city(tmp_path: Path) -> None:
    (tmp_path / "city").mkdir()
    (tmp_path / "city/postgres.log").touch()
    with pytest.raises(BadArchive, match="fresh folder"):
        archive.unpack(packed(tmp_path / "b.tgz"), tmp_path / "city")


def test_something_else_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "b.tgz").write_bytes(b"hello")
    with pytest.raises(BadArchive, match="not a backup"):
        archive.unpack(tmp_path / "b.tgz", tmp_path / "city")


def test_the_demonstration_is_a_whole_story() -> None:
    story = demo.told()
    people = {person["name"] for person in story["person"]}
    posts = {post["id"] for post in story["post"]}
    for post in story["post"]:
        assert {post["by"], *post.get("likes", ()), *post.get("shares", ())} <= people
        assert post.get("to") in {None, *posts}
        assert ("picture" in post) == ("alt" in post)
        assert post.get("picture") in {None, *story["picture"]}
    for rule in story["rule"]:
        assert {rule["by"], *rule["support"], *rule["ballots"]} <= people
    assert story["case"]["post"] in posts


def test_the_demonstration_has_a_sound_charter() -> None:
    small = {article["number"]: article for article in demo.told()["small"]}
    found = {article["number"]: article for article in demo.founding()["articles"]}
    assert found.keys() == {article["number"] for article in charter.document(charter.provisional())["articles"]}
    for number, article in small.items():
        assert found[number]["parameters"] == article["parameters"]


@pytest.mark.parametrize("name", sorted(demo.told()["picture"]))
def test_every_drawing_can_be_drawn(name: str) -> None:
    assert demo.picture(demo.told()["picture"][name]).startswith(b"\x89PNG")

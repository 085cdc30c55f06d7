"""The documents say what the code does: each table, diagram, command and link in them is compared with it."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from pathlib import Path

import msgspec
import pytest

from api import mastodon
from docs import claims
from docs.written import API, BEGIN, COVERAGE, END, ROOMS_FOLDER, ROOT, api, events, lifecycles, page, room_of, rooms
from parvis import cli, wiring
from parvis.api import VERSION
from parvis.base.settings import Settings
from parvis.charter.model import State
from parvis.federation.inbox import ACTIVITIES

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Measured", "Consequences"]
MOST_SETTINGS = 30
AGAIN = "run: .venv/bin/python tests/docs/written.py"
ROW = re.compile(r"^\| `([^`]+)` \|(.*)\|$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of any level."""
    _, _, rest = text.partition(f"{heading}\n")
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def shown(default: object) -> str:
    """How a default is written in the table."""
    if isinstance(default, bool):
        return f"`{default}`".lower()
    return f"`{default}`" if str(default) else "—"


def anchors(text: str) -> set[str]:
    """Where a link may lead inside a document."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def words(name: str) -> list[list[str]]:
    """The commands a document shows in its shell blocks, each as its words."""
    found = []
    for kind, block in FENCE.findall(read(name)):
        if kind == "sh":
            lines = block.replace("\\\n", " ").splitlines()
            found += [shlex.split(line, comments=True) for line in lines if line.strip()]
    return found


def commands(name: str) -> list[list[str]]:
    """The `parvis` commands a document names, in blocks and in the text."""
    spoken = [shlex.split(one) for one in re.findall(r"`(parvis [a-z][^`]*)`", " ".join(read(name).split()))]
    blocks = [[Path(word).name if word.endswith("/parvis") else word for word in line] for line in words(name)]
    return [one[one.index("parvis") + 1 :] for one in [*spoken, *blocks] if "parvis" in one]


def choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


@pytest.mark.parametrize("setting", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_a_setting_is_documented_with_its_default(setting: msgspec.structs.FieldInfo) -> None:
    rows = dict(ROW.findall(read("docs/settings.md")))
    row = rows.get(f"PARVIS_{setting.name.upper()}")
    assert row is not None, "write a row for it in docs/settings.md"
    assert row.split("|")[0].strip() == shown(setting.default)


def test_documented_settings_exist_and_are_few() -> None:
    fields = {f"PARVIS_{field.name.upper()}" for field in msgspec.structs.fields(Settings)}
    assert {name for name, _ in ROW.findall(read("docs/settings.md"))} == fields
    assert len(fields) <= MOST_SETTINGS
    mentioned = {one for path in DOCUMENTS for one in re.findall(r"PARVIS_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert mentioned <= fields


def test_every_operation_stands_in_the_table_and_no_other() -> None:
    text = API.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text == api(text), AGAIN


def test_the_page_of_coverage_is_true() -> None:
    assert COVERAGE.read_text(encoding="utf-8") == mastodon.coverage(), AGAIN


def test_what_is_missing_of_mastodons_operations_is_known_with_a_reason_and_grows_less() -> None:
    assert len(mastodon.WANTED) == 291
    assert {name for name in mastodon.WANTED if name not in mastodon.HERE_NOW} == set(mastodon.MISSING), AGAIN
    assert all(mastodon.MISSING.values())


@pytest.mark.parametrize("room", rooms())
def test_a_room_is_in_the_architecture_and_its_page_is_true(room: str) -> None:
    assert f"[{room}](docs/rooms/{room}.md)" in read("ARCHITECTURE.md")
    assert (ROOMS_FOLDER / f"{room}.md").read_text(encoding="utf-8") == page(room), AGAIN


def test_no_page_speaks_of_a_room_that_is_gone() -> None:
    assert {path.stem for path in ROOMS_FOLDER.glob("*.md")} == set(rooms())
    assert set(re.findall(r"docs/rooms/(\w+)\.md", read("ARCHITECTURE.md"))) == set(rooms())


def test_every_event_is_named_on_the_page_of_its_room() -> None:
    pages = {room: (ROOMS_FOLDER / f"{room}.md").read_text(encoding="utf-8") for room in rooms()}
    assert not [event for event in wiring.REACTIONS if f"| `{event.__name__}` |" not in pages[room_of(event)]]
    assert sum(len(events(room)) for room in rooms()) == len(wiring.REACTIONS)


def test_every_lifecycle_is_drawn_as_it_is() -> None:
    found = {(room, name): life for room in rooms() for name, life in lifecycles(room).items()}
    assert found
    for (room, name), life in found.items():
        text = read(f"docs/rooms/{room}.md")
        assert f"## Lifecycle `{name}`\n\n```mermaid\n{life.diagram()}```" in text
    drawn = [block for path in DOCUMENTS for kind, block in FENCE.findall(path.read_text(encoding="utf-8")) if kind == "mermaid"]
    assert set(drawn) == {life.diagram() for life in found.values()}


def test_the_civic_page_draws_the_life_of_a_proposal() -> None:
    assert all(state.name in section(read("docs/civic.md"), "## From an idea to a rule") for state in State)


def test_every_activity_taken_in_is_documented_and_no_other() -> None:
    documented = [name for name, _ in ROW.findall(section(read("FEDERATION.md"), "### Activities taken in"))]
    assert documented == sorted(ACTIVITIES)
    files = {path.stem for path in (ROOT / "src/parvis/federation/activities").glob("*.py")} - {"__init__", "incoming"}
    assert files <= {name.lower() for name in documented}


def test_every_activity_sent_is_documented() -> None:
    made = set(re.findall(r'"type": "([A-Z]\w+)", "actor"', read("src/parvis/federation/verbs.py")))
    documented = set(re.findall(r"`(\w+)`", section(read("FEDERATION.md"), "### Activities sent")))
    assert made
    assert made <= documented


@pytest.mark.shows("FEP-67ff")
def test_federation_md_has_the_sections_of_fep_67ff() -> None:
    wanted = ["Supported federation protocols and standards", "Supported FEPs", "ActivityPub", "Additional documentation"]
    assert re.findall(r"^## (.+)$", read("FEDERATION.md"), re.MULTILINE) == wanted


@pytest.mark.parametrize("claim", [one for section in claims.claims().values() for one in section], ids=lambda one: one.name)
def test_a_standard_that_is_claimed_is_shown_by_a_test(claim: claims.Claim) -> None:
    tests = [one.test for one in claims.shown() if one.claim == claim.name]
    assert tests, f'mark a test with @pytest.mark.shows("{claim.name}"), or claim it no more in tests/docs/claims.toml'


def test_no_test_shows_what_is_not_claimed() -> None:
    known = [one.name for section in claims.claims().values() for one in section]
    assert len(known) == len(set(known))
    assert [one for one in claims.shown() if one.claim not in known] == []


def test_federation_md_claims_what_tests_show_and_nothing_else() -> None:
    text = read("FEDERATION.md")
    assert text == claims.document(text), AGAIN
    known = {name for section in claims.claims().values() for one in section for name in (one.name, one.title)}
    assert claims.named(text) <= known, "name it in tests/docs/claims.toml, and show it by a test"


def test_a_mark_is_read_where_pytest_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_one.py").write_text(
        'pytestmark = pytest.mark.shows("FEP-0001")\n'
        '@pytest.mark.shows("FEP-0002", "FEP-0003")\nasync def test_it() -> None: ...\n'
        '@pytest.mark.shows("FEP-0004")\ndef helper() -> None: ...\n'
    )
    monkeypatch.setattr(claims, "TESTS", folder)
    assert [(one.claim, one.test) for one in claims.shown()] == [
        ("FEP-0001", "*"), ("FEP-0002", "test_it"), ("FEP-0003", "test_it"),
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_files_named_in_a_document_exist(path: Path) -> None:
    spoken = re.findall(r"`((?:tests|docs|src|base|api|web|schema|text|federation|charter|ledger|ballots|views)/[\w/.]*)`",
                        path.read_text(encoding="utf-8"))
    assert not [one for one in spoken if not (ROOT / one).exists() and not (ROOT / "src/parvis" / one).exists()]


@pytest.mark.parametrize("path", DECISIONS, ids=named)
def test_a_decision_record_has_its_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {int(path.name[:4])}\. \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert re.search(r"\d", section(text, "## Measured"))
    assert f"]({path.name})" in read("docs/decisions/README.md")


def test_decision_records_have_numbers_of_their_own() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_commands_in_a_document_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", read("Makefile"), re.MULTILINE))
    makes = [line[1] for line in words(named(path)) if line[0] == "make" and len(line) > 1]
    makes += re.findall(r"`make ([a-z]+)`", path.read_text(encoding="utf-8"))
    assert not set(makes) - targets
    for words_of in commands(named(path)):
        parser = cli.Commands().parser
        rest = words_of
        while rest and (found := choices(parser)):
            assert rest[0] in found, " ".join(words_of)
            parser, rest = found[rest[0]], rest[1:]
        options = {name for action in parser._actions for name in action.option_strings}
        assert not [word for word in rest if word.startswith("--") and word not in options], " ".join(words_of)


def test_the_readme_shows_the_two_commands_and_a_picture() -> None:
    made = [line[:2] for line in words("README.md") if line[0] == "make"]
    assert ["make", "demo"] in made
    assert ["make", "test"] in made
    assert "](docs/front.png)" in read("README.md")


def test_the_changelog_has_this_version_and_what_is_coming() -> None:
    headings = re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert VERSION in headings
    assert tomllib.loads(read("pyproject.toml"))["project"]["version"] == VERSION


def test_the_licence_is_named_alike_everywhere() -> None:
    assert tomllib.loads(read("pyproject.toml"))["project"]["license"] == "EUPL-1.2"
    assert "SPDX-License-Identifier: EUPL-1.2" in read("LICENSE")
    assert "EUPL-1.2" in read("README.md")

"""What FEDERATION.md claims of standards, and which tests show it: two of its sections are written from that."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec

TESTS = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_name("claims.toml")
SECTIONS = {"standards": "Supported federation protocols and standards", "feps": "Supported FEPs"}
FEP = "https://codeberg.org/fediverse/fep/src/branch/main/fep"
ANOTHER = "What differs from Mastodon"
"""The section that may name what is not supported."""


class Claim(msgspec.Struct, frozen=True):
    """A standard that is supported, and which part of it where it is not all."""

    name: str
    title: str = ""
    link: str = ""
    how: str = ""

    @property
    def words(self) -> str:
        """How the document names it: a proposal by number and title, as FEP-67ff wants."""
        if self.link:
            return f"[{self.name}]({self.link})" + (f" ({self.title})" if self.title else "")
        number = self.name.removeprefix("FEP-")
        return f"[{self.name}: {self.title}]({FEP}/{number}/fep-{number}.md)"


class Shown(msgspec.Struct, frozen=True):
    """A test that says it shows a claim."""

    claim: str
    file: str
    test: str


def claims() -> dict[str, list[Claim]]:
    """What is claimed, section by section."""
    found = tomllib.loads(LIST.read_text(encoding="utf-8"))
    return {heading: msgspec.convert(found[name], list[Claim]) for name, heading in SECTIONS.items()}


def shown() -> list[Shown]:
    """Every mark on a test, or on all tests of a file."""
    return [one for path in sorted(TESTS.rglob("test_*.py")) for one in _marks(path)]


def _marks(path: Path) -> Iterator[Shown]:
    file = path.relative_to(TESTS.parent).as_posix()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            marks, test = node.decorator_list, node.name
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            marks, test = node.value.elts if isinstance(node.value, ast.List) else [node.value], "*"
        else:
            continue
        for mark in marks:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.shows":
                yield from (Shown(str(ast.literal_eval(name)), file, test) for name in mark.args)


def section(heading: str) -> str:
    """One of the two sections: each claim with the files whose tests show it."""
    files: dict[str, list[str]] = {}
    for one in shown():
        if one.file not in files.setdefault(one.claim, []):
            files[one.claim].append(one.file)
    rows = [_row(claim, files.get(claim.name, [])) for claim in claims()[heading]]
    return "\n" + "".join(rows) + "\n"


def _row(claim: Claim, files: list[str]) -> str:
    how = f", {claim.how}" if claim.how else ""
    links = ", ".join(f"[{Path(file).stem.removeprefix('test_')}]({file})" for file in files)
    return f"- {claim.words}{how} — tests: {links}\n"


def document(text: str) -> str:
    """FEDERATION.md with the two sections as they should be."""
    for heading in claims():
        before, title, rest = text.partition(f"## {heading}\n")
        ending = re.search(r"^## ", rest, re.MULTILINE)
        text = before + title + section(heading) + (rest[ending.start() :] if ending else "")
    return text


def named(text: str) -> set[str]:
    """The proposals and requests for comments that the document speaks of as true of this server."""
    parts = re.split(r"^###? (.+)$", text, flags=re.MULTILINE)
    said = " ".join(words for heading, words in zip(["", *parts[1::2]], parts[::2], strict=True) if heading != ANOTHER)
    return set(re.findall(r"\bFEP-[0-9a-f]{4}\b|\bRFC \d{4}\b", said))

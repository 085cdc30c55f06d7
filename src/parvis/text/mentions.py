"""Finds what a plain text points at: people, hashtags and links."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Literal

import idna
import msgspec

URL_LENGTH = 23
"""What every link counts for in a post's length, however long it is (Mastodon's `characters_reserved_per_url`)."""

LONGEST_TAG = 200
"""A hashtag that somebody follows or shows on a profile is not longer."""

_HOST = r"[\w-]+(?:\.[\w-]+)*"
# Nothing with a name and a password before the host is a link: it is how addresses are disguised.
_LINK = re.compile(
    rf"(?<![A-Za-z0-9@#$＠＃])https?://(?P<host>{_HOST})(?P<port>:\d{{1,5}})?(?!\.?[\w-]|@|:[^\s/@]*@)"
    r"(?:[/?#][^\s<>\"\\`\x00-\x20\x7f\u3000-\u3003\u3008-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f“”«»]*)?",
    re.IGNORECASE,
)
_MENTION = re.compile(
    r"(?<![\w/=@])@(?P<name>[A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*)"
    r"(?:@(?P<domain>\w+(?:[.-]+\w+)*(?::\d{1,5}(?!\w))?))?"
)
_POINTING = re.compile("[@#＃]|://")
_HASH = re.compile(r"(?<![\w=/)])[#＃]")
_LETTERS = re.compile(r"\w*")

_TAG_JOINERS = "\u00b7\u30fb\u200c"
_ASCII_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?", re.ASCII)
_TRAILING = ".,;:!?'…"
_PAIRS = {")": "(", "]": "["}

_ACCENTED = re.compile("([a-z])[\u0300-\u036f]+")
_UNACCENTED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})

Kind = Literal["mention", "hashtag", "link"]


class Piece(msgspec.Struct, frozen=True):
    """One thing pointed at. `name` is the lower-cased username, the hashtag as written, or the address."""

    kind: Kind
    start: int
    end: int
    text: str
    name: str
    domain: str | None = None


def found(text: str) -> list[Piece]:
    """Mentions, hashtags and links in order; what lies inside a link is part of the link."""
    if not _POINTING.search(text):
        return []
    pieces: list[Piece] = list(_links(text))
    for finder in (_mentions, _hashtags):
        free = _outside(pieces, len(text))
        pieces += [piece for start, end in free for piece in finder(text, start, end)]
        pieces.sort(key=lambda piece: piece.start)
    return pieces


def mentions(text: str) -> list[tuple[str, str | None]]:
    """Who is mentioned, each once, in order: lower-cased username and normal domain, None for someone here."""
    if "@" not in text:
        return []
    return list(dict.fromkeys((piece.name, piece.domain) for piece in found(text) if piece.kind == "mention"))


def hashtags(text: str) -> list[str]:
    """The hashtags as first written, each once whatever its case, width or accents."""
    tags: dict[str, str] = {}
    for piece in found(text):
        if piece.kind == "hashtag":
            tags.setdefault(normal_tag(piece.name), piece.name)
    return list(tags.values())


def normal_tag(name: str) -> str:
    """The form two spellings of one hashtag share: width and case folded, Latin letters without accents."""
    if name.isascii():
        return name.casefold()
    # Folding can make new compatible sequences (and the other way round), hence the second round.
    for _ in range(2):
        name = unicodedata.normalize("NFKC", name).casefold().translate(_UNACCENTED)
        name = _ACCENTED.sub(r"\1", unicodedata.normalize("NFD", name))
        name = unicodedata.normalize("NFKC", name)
    return name


def tag_name(text: str) -> str | None:
    """A hashtag given by itself, with its mark or without, as it was written; None if nobody could write it so."""
    name = text.strip().lstrip("#＃")
    whole = [piece.name for piece in _hashtags(f"#{name}", 0, len(name) + 1)] if len(name) <= LONGEST_TAG else []
    return name if whole == [name] and len(normal_tag(name)) <= LONGEST_TAG else None


def normal_domain(domain: str) -> str | None:
    """A domain in lower case and ASCII (IDNA, UTS 46) with its port, or None if no server can have that name."""
    host, colon, port = domain.lower().partition(":")
    if colon and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        return None
    ascii_host = _ascii_host(host)
    return ascii_host and ascii_host + colon + port


def length(text: str) -> int:
    """A post's length as its readers see it: a link counts 23, `@user@domain` as `@user`, a joined emoji one."""
    shortened: list[str] = []
    done = 0
    for piece in found(text):
        shortened.append(text[done : piece.start])
        shortened.append(_counted(piece))
        done = piece.end
    shortened.append(text[done:])
    return _characters("".join(shortened))


def _counted(piece: Piece) -> str:
    if piece.kind == "link":
        return "x" * URL_LENGTH
    return f"@{piece.name}" if piece.kind == "mention" else piece.text


def _outside(pieces: list[Piece], end: int) -> list[tuple[int, int]]:
    edges = [0, *(edge for piece in pieces for edge in (piece.start, piece.end)), end]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _links(text: str) -> Iterator[Piece]:
    if "://" not in text:
        return
    for match in _LINK.finditer(text):
        if normal_domain(match["host"] + (match["port"] or "")) is None:
            continue
        url = _without_trailing(match[0])
        yield Piece("link", match.start(), match.start() + len(url), url, url)


def _without_trailing(url: str) -> str:
    """The address without the punctuation of the sentence around it; balanced brackets belong to the address."""
    surplus = {closing: url.count(closing) - url.count(opening) for closing, opening in _PAIRS.items()}
    end = len(url)
    while url[end - 1] in _TRAILING or surplus.get(url[end - 1], 0) > 0:
        end -= 1
        if url[end] in surplus:
            surplus[url[end]] -= 1
    return url[:end]


def _mentions(text: str, start: int, end: int) -> Iterator[Piece]:
    for match in _MENTION.finditer(text, start, end):
        domain = match["domain"] and normal_domain(match["domain"])
        # A name at an impossible server is nobody: above all not our own account of that name.
        if match["domain"] and domain is None:
            continue
        yield Piece("mention", match.start(), match.end(), match[0], match["name"].lower(), domain)


def _hashtags(text: str, start: int, end: int) -> Iterator[Piece]:
    for match in _HASH.finditer(text, start, end):
        stop = _tag_end(text, match.end(), end)
        name = text[match.end() : stop]
        if any(not character.isdigit() for character in name):
            yield Piece("hashtag", match.start(), stop, text[match.start() : stop], name)


def _tag_end(text: str, start: int, end: int) -> int:
    stop = first.end() if (first := _LETTERS.match(text, start, end)) else start
    for position in range(stop, end):
        if _in_word(text[position]) and (position > start or not _is_mark(text[position])):
            stop = position + 1
        elif text[position] not in _TAG_JOINERS or stop < position or position == start:
            break
    return stop


def _in_word(character: str) -> bool:
    return character == "_" or character.isalnum() or _is_mark(character)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _ascii_host(host: str) -> str | None:
    if not host.isascii() or "xn--" in host:
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError:
            return None
    labels = host.split(".")
    if len(host) > 253 or not all(len(label) < 64 and _ASCII_LABEL.fullmatch(label) for label in labels):
        return None
    return host if not _numeric(labels[-1]) or _is_address(host) else None


def _numeric(label: str) -> bool:
    """Whether browsers would read a host that ends so as an IPv4 address (WHATWG URL, "ends in a number")."""
    return label.isdigit() or re.fullmatch("0x[0-9a-f]*", label) is not None


def _is_address(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False


def _characters(text: str) -> int:
    """How many characters a reader sees: the main rules of UAX #29 (marks, joined emoji, flags, line ends)."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    count, previous, flag = 0, "", False
    for character in text:
        regional = "\U0001f1e6" <= character <= "\U0001f1ff"
        joined = _extends(character) or previous == "\u200d" or previous + character == "\r\n" or (regional and flag)
        count += not (joined and previous)
        flag = regional and not (regional and flag)
        previous = character
    return count


def _extends(character: str) -> bool:
    skin_tone = "\U0001f3fb" <= character <= "\U0001f3ff"
    conjoining_jamo = "\u1160" <= character <= "\u11ff"
    return skin_tone or conjoining_jamo or character in "\u200d\u200c" or _is_mark(character)

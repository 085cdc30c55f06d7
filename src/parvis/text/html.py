"""Makes a post's HTML from plain text, makes other servers' HTML safe, and reads HTML back as plain text.

The marks (`u-url mention`, `invisible`, `ellipsis`, ...) are those Mastodon's clients look for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser

import nh3

from parvis.text import mentions

MAX_HTML = 100_000
"""Longer HTML is cut before it is read: the parser needs a second for the worst nesting of this length."""
MAX_NAME = 2_048
SHOWN_OF_LINK = 30

People = Mapping[tuple[str, str | None], tuple[str, str]]

_BLOCKS = frozenset(("p", "pre", "blockquote", "ul", "ol", "li"))
_PHRASES = frozenset(("br", "span", "a", "abbr", "del", "s", "code", "b", "strong", "u", "sub", "sup", "i", "em"))
_TAGS = _BLOCKS | _PHRASES | {"ruby", "rt", "rp"}
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_MATHS = frozenset(
    (
        "math",
        "semantics",
        "annotation",
        "mrow",
        "mi",
        "mn",
        "mo",
        "ms",
        "mtext",
        "msup",
        "msub",
        "msubsup",
        "mfrac",
        "msqrt",
        "mroot",
        "mover",
        "munder",
        "mtable",
        "mtr",
        "mtd",
    )
)
_ATTRIBUTES = {
    "a": frozenset(("href", "title", "class", "rel", "translate")),
    "span": frozenset(("class", "translate")),
    "p": frozenset(("class",)),
    "blockquote": frozenset(("cite",)),
    "ol": frozenset(("start", "reversed")),
    "li": frozenset(("value",)),
}
_SCHEMES = frozenset(("http", "https", "xmpp", "gemini", "magnet"))
_CLASS = re.compile(r"(?:h|p|u|dt|e)-[A-Za-z0-9-]+|mention|hashtag|ellipsis|invisible|quote-inline")
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")
_NUMBER = re.compile(r"-?[0-9]{1,9}")


def _kept(tag: str, name: str, value: str) -> str | None:
    """What is left of an attribute's value, None to drop it."""
    if name == "class":
        return " ".join(word for word in value.split() if _CLASS.fullmatch(word)) or None
    if name == "translate":
        return "no" if value == "no" else None
    if name == "lang":
        return value if _LANGUAGE.fullmatch(value) else None
    if name in ("start", "value"):
        return value if _NUMBER.fullmatch(value) else None
    if name in ("src", "cite"):
        return value if value.lower().startswith(("http://", "https://")) else None
    return value


_SEEN = nh3.Cleaner(
    tags=_TAGS | _HEADINGS | _MATHS | {"img"},
    clean_content_tags={"script", "style", "template", "title", "textarea", "noscript", "iframe", "svg"},
    attributes={
        **_ATTRIBUTES,
        **dict.fromkeys(_TAGS - _ATTRIBUTES.keys(), frozenset[str]()),
        "*": frozenset(("lang",)),
        "img": frozenset(("src", "alt")),
        "annotation": frozenset(("encoding",)),
    },
    attribute_filter=_kept,
    link_rel=None,
    url_schemes=_SCHEMES,
    url_relative="deny",
)
"""First pass: a real HTML parser drops all that is dangerous and leaves well-formed HTML for the second."""

_QUOTE_INLINE = re.compile(
    r'<p class="(?:[^"]* )?quote-inline(?: [^"]*)?">.*?</p>|<span class="quote-inline">.*?</a></span>', re.DOTALL
)
_LINK_START = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_MANY_LINES = re.compile(r"\n{3,}")
_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"}
# Besides controls: what turns the writing direction around and what is not seen at all.
# Joiners stay: emoji and Persian need them.
_DECEIVING = dict.fromkeys((0x00AD, 0x200B, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def html(text: str, mention_url: People, tag_url: Callable[[str], str]) -> str:
    """A post's HTML: blank lines part paragraphs, known people, hashtags and links are marked, all else is escaped."""
    lines = _clean(text).replace("\r\n", "\n").replace("\r", "\n").strip()
    paragraphs = [part for part in _BLANK_LINES.split(lines) if part.strip()]
    return "".join(f"<p>{_paragraph(part, mention_url, tag_url)}</p>" for part in paragraphs)


def sanitised(html: str) -> str:
    """What may be shown of another server's HTML. Never raises: what cannot be read is shown as text."""
    source = _clean(html)[:MAX_HTML]
    try:
        writer = _Writer()
        writer.feed(_SEEN.clean(source))
        writer.close()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001  # a panic inside the parser is no Exception, and must not stop a queue either
        return _escaped(source)
    return "".join(writer.out)


def quote_inline(url: str) -> str:
    """A quoted post as a link, for those who do not show quotes."""
    return f'<p class="quote-inline">RE: {_link(url)}</p>'


def without_quote(html: str) -> str:
    """Sanitised HTML of a post without the link that stands for its quote."""
    return _QUOTE_INLINE.sub("", html)


def plain(html: str) -> str:
    """HTML as readable text: paragraphs become blank lines, list items dashes, pictures their description."""
    reader = _Reader()
    reader.feed(sanitised(html))
    reader.close()
    return _MANY_LINES.sub("\n\n", "".join(reader.out)).strip()


def plain_name(name: str, limit: int = MAX_NAME) -> str:
    """A display name on one line, at most `limit` long, with nothing invisible and nothing that turns the direction."""
    visible = " ".join(_clean(name).translate(_DECEIVING).split())
    return visible[:limit].strip()


def _clean(text: str) -> str:
    """Without the characters neither PostgreSQL nor HTML can carry."""
    return text.encode("utf-8", "replace").decode().translate(_CONTROLS)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\xa0", "&nbsp;")


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', "&quot;")


def _paragraph(text: str, mention_url: People, tag_url: Callable[[str], str]) -> str:
    out: list[str] = []
    done = 0
    for piece in mentions.found(text):
        out.append(_lines(text[done : piece.start]))
        out.append(_marked(piece, mention_url, tag_url))
        done = piece.end
    out.append(_lines(text[done:]))
    return "".join(out)


def _lines(text: str) -> str:
    return _escaped(text).replace("\n", "<br />")


def _marked(piece: mentions.Piece, mention_url: People, tag_url: Callable[[str], str]) -> str:
    if piece.kind == "link":
        return _link(piece.text)
    if piece.kind == "hashtag":
        shown = _escaped(piece.name)
        return f'<a href="{_quoted(tag_url(piece.name))}" class="mention hashtag" rel="tag">#<span>{shown}</span></a>'
    person = mention_url.get((piece.name, piece.domain))
    if person is None:
        return _escaped(piece.text)
    url, shown = person
    inner = f'<a href="{_quoted(url)}" class="u-url mention">@<span>{_escaped(shown)}</span></a>'
    return f'<span class="h-card" translate="no">{inner}</span>'


def _link(url: str) -> str:
    match = _LINK_START.match(url)
    start = match.end() if match else 0
    shown, rest = url[start : start + SHOWN_OF_LINK], url[start + SHOWN_OF_LINK :]
    span = '<span class="ellipsis">' if rest else "<span>"
    return (
        f'<a href="{_quoted(url)}" rel="nofollow noopener" target="_blank" translate="no">'
        f'<span class="invisible">{_escaped(url[:start])}</span>{span}{_escaped(shown)}</span>'
        f'<span class="invisible">{_escaped(rest)}</span></a>'
    )


def _rel(attributes: Mapping[str, str]) -> str:
    """Mentions and hashtags keep their own relation; any other link is not vouched for and learns nothing of us."""
    given = attributes.get("rel", "").lower().split()
    tag = ["tag"] if "tag" in given else []
    if "mention" in attributes.get("class", "").split():
        return " ".join(tag)
    return " ".join([*tag, "nofollow", "noopener"])


class _Writer(HTMLParser):
    """Second pass, over HTML already safe and well formed: writes it as clients expect it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._anchors: list[bool] = []
        self._maths: list[bool] = []
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in _MATHS:
            self._maths.append(attributes.get("encoding") == "application/x-tex")
        elif self._maths:
            return
        elif tag == "a":
            self._open_anchor(attributes)
        elif tag == "img":
            self._picture(attributes)
        elif tag in _HEADINGS:
            self._in_heading = True
            self.out.append("<p><strong>")
        elif tag == "br":
            self.out.append("<br />")
        elif not (self._in_heading and tag in _BLOCKS):
            self._open(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag in _MATHS and self._maths:
            self._maths.pop()
        elif self._maths:
            return
        elif tag == "a" and self._anchors:
            if self._anchors.pop():
                self.out.append("</a>")
        elif tag in _HEADINGS:
            self._in_heading = False
            self.out.append("</strong></p>")
        elif tag in _TAGS and not (self._in_heading and tag in _BLOCKS):
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._maths or self._maths[-1]:
            self.out.append(_escaped(data))

    def handle_entityref(self, name: str) -> None:
        self._reference(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._reference(f"&#{name};")

    def _reference(self, reference: str) -> None:
        if not self._maths or self._maths[-1]:
            self.out.append(reference)

    def _open(self, tag: str, attributes: Mapping[str, str]) -> None:
        shown = "".join(f' {name}="{_quoted(value)}"' for name, value in attributes.items())
        self.out.append(f"<{tag}{shown}>")

    def _open_anchor(self, attributes: dict[str, str]) -> None:
        """A link without an address we may follow, or inside another link, is only its text."""
        opened = "href" in attributes and not any(self._anchors)
        self._anchors.append(opened)
        if not opened:
            return
        attributes["rel"] = _rel(attributes)
        if "nofollow" in attributes["rel"]:
            attributes["target"] = "_blank"
        order = ("href", "title", "lang", "class", "rel", "target", "translate")
        self._open("a", {name: attributes[name] for name in order if attributes.get(name)})

    def _picture(self, attributes: Mapping[str, str]) -> None:
        shown = _escaped(f"[🖼 {attributes.get('alt', '')}".strip() + "]")
        if "src" in attributes and not any(self._anchors):
            href = _quoted(attributes["src"])
            shown = f'<a href="{href}" rel="nofollow noopener" target="_blank">{shown}</a>'
        self.out.append(shown)


class _Reader(HTMLParser):
    """Reads sanitised HTML aloud."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.out.append("\n")
        elif tag == "li":
            self.out.append("\n- ")
        elif tag in _BLOCKS:
            self.out.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS and tag != "li":
            self.out.append("\n\n")

    def handle_data(self, data: str) -> None:
        self.out.append(data)

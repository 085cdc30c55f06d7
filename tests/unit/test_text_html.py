"""Plain text to HTML and back, and other people's HTML made safe."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.text import html, mentions

SAFE_TAGS = {"p", "br", "span", "a", "abbr", "del", "s", "pre", "blockquote", "code", "b", "strong", "u", "sub", "sup"}
SAFE_TAGS |= {"i", "em", "ul", "ol", "li", "ruby", "rt", "rp"}
SAFE_ATTRIBUTES = {"href", "title", "class", "rel", "target", "translate", "lang", "cite", "start", "reversed", "value"}
SAFE_ADDRESS = re.compile(r"(?:https?|xmpp|gemini|magnet):", re.IGNORECASE)

PEOPLE = {
    ("alice", None): ("http://localhost:8001/@alice", "alice"),
    ("bela", "example.org"): ("https://example.org/users/bela?a=1&b='2'", "bela@<example>.org"),
}
PARTS = st.sampled_from(
    [
        "@alice",
        "@bela@example.org",
        "@nobody",
        "#Fête",
        "https://www.example.org/?a=1&b=2#c",
        "http://xn--a",
        "http://a_b/",
        "https://example.org/" + "x" * 60,
        "\n",
        "\n\n",
        "\r\n",
        " \n \n",
        "\t",
        "<b>",
        "&amp;",
        "&",
        '"',
        "'",
        "\xa0",
        "\x00",
    ]
)
TEXTS = st.one_of(st.text(), st.lists(st.one_of(PARTS, st.text(max_size=3))).map("".join))
MARKUP = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
        "<svg>",
        "<math>",
        "</math>",
        "<mtext>",
        "<annotation>",
        "<annotation encoding='application/x-tex'>",
        "<table>",
        "<noscript>",
        "<title>",
        "<textarea>",
        "<template>",
        "<!--",
        "-->",
        "<img src=x onerror=alert(1)>",
        "<img src='https://e.org/a' alt='<script>'>",
        "<a href='javascript:alert(1)'>",
        "</a>",
        '<a href="https://e.org/\'><script>">',
        "<a href=' java\nscript:alert(1)'>",
        "<h1>",
        "</h2>",
        "<h6 onclick=alert(1)>",
        "<iframe srcdoc='<script>'>",
        "<p style='x' class='evil h-card' id=a>",
        "<a href='/x'>",
        "<br>",
        "]]>",
        "<![CDATA[",
        "<ul>",
        "<li value=3>",
        "<blockquote cite='javascript:1'>",
        "<span title='x'>",
        "<form action=x>",
        "&lt;script&gt;",
        "&#60;",
        "<plaintext>",
        "<mglyph>",
        "<malignmark>",
        "<foreignobject>",
        "<desc>",
        "<xmp>",
        "<a class=mention href='https://e.org'>",
    ]
)
MANGLED = st.lists(st.one_of(MARKUP, st.text(max_size=4))).map("".join)


def tag_url(name: str) -> str:
    return f"http://localhost:8001/tags/{mentions.normal_tag(name)}"


def made(text: str) -> str:
    return html.html(text, PEOPLE, tag_url)


class Elements(HTMLParser):
    """Lists the elements a reader of HTML would find."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@given(TEXTS)
def test_our_own_html_passes_our_own_sanitiser_unchanged(text: str) -> None:
    assert html.sanitised(made(text)) == made(text)


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1))
def test_plain_text_keeps_every_word(words: list[str]) -> None:
    text = " ".join(words)
    assert html.plain(made(text)) == text


@given(MANGLED)
def test_nothing_that_runs_survives_sanitising(source: str) -> None:
    for tag, attributes in Elements(html.sanitised(source)).found:
        assert tag in SAFE_TAGS
        assert attributes.keys() <= SAFE_ATTRIBUTES
        for name in attributes.keys() & {"href", "cite"}:
            assert SAFE_ADDRESS.match(attributes[name] or "")
        if tag == "a" and "target" in attributes:
            assert "noopener" in (attributes["rel"] or "")


@given(MANGLED)
def test_what_is_sanitised_stays_safe_when_a_browser_repairs_it(source: str) -> None:
    repaired = html._SEEN.clean(html.sanitised(source))
    assert {tag for tag, _ in Elements(repaired).found} <= SAFE_TAGS


@given(st.text())
def test_any_text_can_be_sanitised_and_read(text: str) -> None:
    assert "\0" not in html.sanitised(text)
    assert "\0" not in html.plain(text)


def test_a_post_has_paragraphs_lines_people_tags_and_links() -> None:
    link = "https://www.example.org/" + "x" * 30
    assert made(f"Hi @alice & <all>\n#Fête\n \n{link}") == (
        '<p>Hi <span class="h-card" translate="no"><a href="http://localhost:8001/@alice" class="u-url mention">'
        "@<span>alice</span></a></span> &amp; &lt;all&gt;<br />"
        '<a href="http://localhost:8001/tags/fete" class="mention hashtag" rel="tag">#<span>Fête</span></a></p>'
        f'<p><a href="{link}" rel="nofollow noopener" target="_blank" translate="no">'
        '<span class="invisible">https://www.</span><span class="ellipsis">example.org/xxxxxxxxxxxxxxxxxx</span>'
        '<span class="invisible">xxxxxxxxxxxx</span></a></p>'
    )


def test_an_unknown_person_is_only_text() -> None:
    assert made("@nobody@example.org") == "<p>@nobody@example.org</p>"


def test_an_empty_post_has_no_html() -> None:
    assert made(" \n\n ") == ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<h1>Title</h1>", "<p><strong>Title</strong></p>"),
        ("<h3><p>Two</p><ul><li>three</ul></h3>", "<p><strong>Twothree</strong></p>"),
        (
            '<img src="https://e.org/a.png" alt="A &lt;cat&gt;">',
            '<a href="https://e.org/a.png" rel="nofollow noopener" target="_blank">[🖼 A &lt;cat&gt;]</a>',
        ),
        ('<img src="data:x" alt="A cat">', "[🖼 A cat]"),
        (
            '<a href="https://e.org"><img src="https://e.org/a.png" alt="x"></a>',
            '<a href="https://e.org" rel="nofollow noopener" target="_blank">[🖼 x]</a>',
        ),
        (
            (
                "<math><semantics><mi>x</mi>"
                '<annotation encoding="application/x-tex">x &lt; 1</annotation></semantics></math>'
            ),
            "x &lt; 1",
        ),
        ('<a href="javascript:alert(1)">click</a>', "click"),
        ('<a href="/local">click</a>', "click"),
        (
            '<a href="https://e.org/@a" class="u-url mention evil" target="_top">@a</a>',
            '<a href="https://e.org/@a" class="u-url mention">@a</a>',
        ),
        (
            '<a rel="me tag" href="https://e.org/t">t</a>',
            '<a href="https://e.org/t" rel="tag nofollow noopener" target="_blank">t</a>',
        ),
        ('<p class="quote-inline x">RE</p>', '<p class="quote-inline">RE</p>'),
        ('<p class="x" style="y" lang="fr">a</p>', '<p lang="fr">a</p>'),
        ('<ol start="3" reversed><li value="x">a</ol>', '<ol start="3" reversed=""><li>a</li></ol>'),
        ("<p>a<script>alert(1)</script>b<style>p{}</style></p>", "<p>ab</p>"),
        ("<div>a <unknown>b</unknown></div>", "a b"),
        ("a<br>b", "a<br />b"),
        ("<ruby>市<rp>(</rp><rt>し</rt><rp>)</rp></ruby>", "<ruby>市<rp>(</rp><rt>し</rt><rp>)</rp></ruby>"),
    ],
)
def test_other_servers_html_keeps_its_meaning_and_nothing_else(source: str, expected: str) -> None:
    assert html.sanitised(source) == expected


def test_what_no_parser_can_read_is_still_shown() -> None:
    assert html.sanitised("<p>\ud800 a\0b</p>") == "<p>? ab</p>"


def test_a_huge_document_is_cut() -> None:
    assert len(html.sanitised("<p>" + "a" * 3_000_000)) <= html.MAX_HTML + 10


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>One &amp; two</p><p>three<br>four</p>", "One & two\n\nthree\nfour"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        (made("https://www.example.org/" + "x" * 60), "https://www.example.org/" + "x" * 60),
        ('<img src="https://e.org/a" alt="A cat">', "[🖼 A cat]"),
        ("", ""),
    ],
)
def test_html_is_read_as_text(source: str, expected: str) -> None:
    assert html.plain(source) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("  Alice \n of\tthe\0 city ", "Alice of the city"),
        ("\u202eecila\u2069", "ecila"),
        ("\u200b\ufeff", ""),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
    ],
)
def test_a_display_name_is_one_honest_line(name: str, expected: str) -> None:
    assert html.plain_name(name) == expected


@given(st.text(), st.integers(1, 40))
def test_a_display_name_is_never_longer_than_its_limit(name: str, limit: int) -> None:
    assert len(html.plain_name(name, limit)) <= limit

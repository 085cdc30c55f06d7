"""What a page says about itself, however hostile: huge, broken, nested, in a wrong charset."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.links import policy
from parvis.text import html
from parvis.text.page import MOST, VALUE, decoded, says_me, tags

PLACE = "https://journal.example/park?page=1"
SAID = """<!doctype html><html lang="fr-CA"><head><title>Whole title</title>
<meta property="og:title" content="The &quot;park&quot; &amp; the pond"><meta property="og:description" content="It
 is   green">
<meta property='og:image' content='/park.jpg'><meta property="og:image:width" content="1200"><meta content="630" property="og:image:height">
<meta property="og:image:alt" content="A pond"><meta property="og:site_name" content="The Journal"><meta name="author" content="Ada L.">
<meta property="article:published_time" content="2026-03-01T10:00:00+02:00"><link rel="canonical" href="/park"></head>
<body><meta property="og:title" content="too late"></body></html>"""
ALL = frozenset(("meta", "title", "link", "html"))


def test_a_page_says_what_it_is() -> None:
    page = policy.page(SAID, PLACE)
    assert page is not None
    assert (page.url, page.canonical) == ("https://journal.example/park", False)
    assert (page.title, page.description) == ('The "park" & the pond', "It is green")
    assert (page.image_url, page.width, page.height, page.image_description) == ("https://journal.example/park.jpg", 1200, 630, "A pond")
    assert (page.provider_name, page.provider_url, page.author_name, page.author_url) == (
        "The Journal", "https://journal.example/", "Ada L.", "")
    assert (page.language, page.published_at) == ("fr-CA", datetime(2026, 3, 1, 8, tzinfo=UTC))


@pytest.mark.parametrize(("head", "found"), [
    ("<title>Only &#60;this&#62;</title>", ("Only <this>", PLACE, None)),
    ("<TITLE >Loud</TiTle>", ("Loud", PLACE, None)),
    ("<meta name=twitter:title content=Bare>", ("Bare", PLACE, None)),
    ("<meta property=og:title content=''><title>Second</title>", ("Second", PLACE, None)),
    ("<title>t</title><link rel=canonical href=https://other.example/>", ("t", PLACE, None)),
    ("<title>t</title><link rel=canonical href='http://journal.example/x'>", ("t", PLACE, None)),
    ("<title>t</title><link rel='x CANONICAL' href='https://journal.example/x#part'>", ("t", "https://journal.example/x", None)),
    ("<title>t</title><meta property=og:image content='javascript:alert(1)'>", ("t", PLACE, None)),
    ("<title>t</title><meta property=og:image content='//img.example/a.png'>", ("t", PLACE, "https://img.example/a.png")),
    ("<title>t</title><meta property=og:image content='https://u:p@img.example/a.png'>", ("t", PLACE, None)),
    ("<title>t</title><meta property=og:image content='data:image/png,x'><meta name=twitter:image content=a.png>",
     ("t", PLACE, "https://journal.example/a.png")),
    ("<script>'<title>no</title>'</script><style><title>no</title></style><!-- <title>no</title> --><title>yes</title>", ("yes", PLACE, None)),
    ("<div data-x='<title>no</title>'></div><title>yes</title>", ("yes", PLACE, None)),
    ("<title>a\x00b\u202ec</title>", ("abc", PLACE, None)),
])
def test_the_head_of_a_page_is_read_as_browsers_do(head: str, found: tuple[str, str, str | None]) -> None:
    page = policy.page(head, PLACE)
    assert page is not None
    assert (page.title, page.url, page.image_url) == found


@pytest.mark.parametrize("head", ["", "<title></title>", "<title> \n</title>", "<title>never closed", "<!-- <title>t</title>",
                                  "<script><title>t</title>", "<meta property=og:title>", "<body><title>late</title>", "plain"])
def test_what_has_no_title_has_no_card(head: str) -> None:
    assert policy.page(head, PLACE) is None


@pytest.mark.parametrize("evil", [
    "<" * MOST, "<a " * MOST, "<!--" * MOST, "<meta " * MOST, '<meta content="' * MOST, "<meta content='" + "x" * MOST, "<div>" * MOST,
    "<title>" * MOST, "<script" * MOST, "</script" * MOST, "<a" + " " * MOST, "<a " + "=" * MOST, "<a " + "x=" * MOST, "<a x" + " " * MOST,
    "<meta content='&#" + "9" * MOST + ";'>", "<title>" + "&" * MOST + "</title>", "<b " + "a=b " * MOST, "<svg><title>" * MOST,
])
def test_no_page_takes_long(evil: str) -> None:
    began = time.process_time()
    assert policy.page("<title>t</title>" + evil[:MOST], PLACE) is not None
    assert time.process_time() - began < 3


def test_long_values_are_cut() -> None:
    page = policy.page(f"<title>{'t' * 9000}</title><meta name=description content='&#{'9' * 9000};'>", PLACE)
    assert page is not None
    assert len(page.title) == policy.TITLE
    assert all(len(v) <= VALUE for tag in tags(SAID * 10, ALL) for v in tag.attributes.values())


@given(st.text(alphabet="<>!-=\"'/ metatitlscrp&#;x\n", max_size=300) | st.text(max_size=300))
def test_any_text_is_a_page(text: str) -> None:
    policy.page(text, PLACE)
    policy.first_link(text, "journal.example", ())
    list(tags(text, ALL))


@given(st.binary(max_size=200), st.text(max_size=40) | st.sampled_from([
    "text/html; charset=utf-7", "text/html;charset=zip", "text/html; charset=idna", "text/html; charset=unicode_escape", "text/html; charset=\x00"]))
def test_any_bytes_are_text(body: bytes, kind: str) -> None:
    assert decoded(body, kind).encode("utf-8", "surrogatepass") is not None


@pytest.mark.parametrize(("body", "kind", "text"), [
    ("é".encode(), "text/html", "é"), ("é".encode("latin-1"), "text/html; charset=ISO-8859-1", "é"),
    ("“é”".encode("cp1252"), 'text/html; charset="latin1"', "“é”"), ("é".encode("latin-1"), "text/html; charset=utf-8", "\ufffd"),
    (b"<meta charset=shift_jis>" + "日本".encode("shift_jis"), "text/html", "<meta charset=shift_jis>日本"),
    (b"\xef\xbb\xbf" + "é".encode(), "text/html; charset=latin-1", "é"), ("é".encode("utf-16"), "text/html", "é"),
    (b'<meta http-equiv=x content="text/html; charset=koi8-r">' + "да".encode("koi8-r"), "text/html",
     '<meta http-equiv=x content="text/html; charset=koi8-r">да'),
    (b"+ADw-script+AD4-", "text/html; charset=utf-7", "+ADw-script+AD4-"), (b"a", "text/html; charset=hex", "a"),
])
def test_the_charset_is_what_the_page_or_its_server_says(body: bytes, kind: str, text: str) -> None:
    assert decoded(body, kind) == text


@pytest.mark.parametrize(("content", "found"), [
    ("<p>no link</p>", None),
    (html.html("See https://a.example/x#part and https://b.example", {}, lambda tag: f"https://city.example/tags/{tag}"), "https://a.example/x"),
    (html.html("#tag https://A.example", {}, lambda tag: f"https://elsewhere.example/tags/{tag}"), "https://a.example/"),
    ('<p><a href="https://m.example/@ada" class="u-url mention">@ada</a> <a href="https://b.example/">b</a></p>', "https://b.example/"),
    ('<p><a href="https://m.example/@ada">@ada</a></p>', None),
    ('<p><a href="https://t.example/x" rel="tag">#x</a></p>', None),
    ('<p class="quote-inline">RE: <a href="https://q.example/1">q</a></p><p><a href="https://b.example/2">b</a></p>', "https://b.example/2"),
    ('<p><a href="https://city.example/about">here</a><a href="mailto:a@b">m</a><a href="https://b.example/?a=1&amp;b=2">b</a></p>',
     "https://b.example/?a=1&b=2"),
    ('<p><a href="https://b.example/' + "x" * 3000 + '">long</a></p>', None), ('<p><a href="https://u:p@b.example/">secret</a></p>', None),
])
def test_the_first_link_that_leads_out_is_previewed(content: str, found: str | None) -> None:
    assert policy.first_link(content, "city.example", ["https://m.example/@ada"]) == found


@given(st.integers(1, 10), st.none() | st.text(max_size=8) | st.integers(0, 10**9).map(str))
def test_a_page_that_fails_is_left_alone_ever_longer(tries: int, asked: str | None) -> None:
    assert timedelta(minutes=1) <= policy.delay(tries, asked) <= timedelta(days=1)
    assert policy.delay(tries, asked) <= policy.delay(tries + 1, asked)


@pytest.mark.parametrize(("html", "mine"), [
    ('<link rel=me href="https://city.example/@alice">', True),
    ('<a href="/@alice/" REL="nofollow ME">', True),
    ('<a href="https://city.example/@alice">', False),
    ('<a rel="me" href="https://city.example/@bela">', False),
    ('<script>\'<a rel="me" href="https://city.example/@alice">\'</script>', False),
    ('<a rel="me" href="http://[broken">', False),
])
def test_a_page_says_whose_it_is_by_a_link_with_rel_me(html: str, mine: bool) -> None:
    assert says_me(html, "https://city.example/about", {"https://city.example/@alice"}) is mine

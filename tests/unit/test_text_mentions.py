"""What a plain text points at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.text import mentions

WORDS = st.sampled_from(
    [
        "@alice",
        "@bela@example.org",
        "@bela@localhost:8001",
        "#Fête",
        "#123",
        "https://example.org/a_(b)?c=1#d",
        "http://",
        "www.example.org",
        "\n",
        "\n\n",
        " ",
        ".",
        ",",
        "(",
        ")",
        "@",
        "#",
        ":",
        "/",
        "é",
        "क्षि",
        "👨\u200d👩\u200d👧",
        "<b>",
        "&amp;",
        "'",
    ]
)
TEXTS = st.one_of(st.text(), st.lists(st.one_of(WORDS, st.text(max_size=3))).map("".join))


def kinds(text: str) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in mentions.found(text)]


@given(TEXTS)
def test_pieces_never_overlap_and_are_exact_parts_of_the_text(text: str) -> None:
    end = 0
    for piece in mentions.found(text):
        assert end <= piece.start < piece.end <= len(text)
        assert text[piece.start : piece.end] == piece.text
        end = piece.end


@given(TEXTS)
def test_every_domain_found_is_in_its_normal_form(text: str) -> None:
    for _, domain in mentions.mentions(text):
        assert domain is None or mentions.normal_domain(domain) == domain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello @Alice!", [("alice", None)]),
        ("@alice @ALICE @alice", [("alice", None)]),
        ("@bela@Example.ORG, and @bela@localhost:8001: hi", [("bela", "example.org"), ("bela", "localhost:8001")]),
        ("@bela@exämple.org", [("bela", "xn--exmple-cua.org")]),
        ("@bela@example.org.", [("bela", "example.org")]),
        ("(@a.b-c_d)", [("a.b-c_d", None)]),
        ("@aliceさん", [("alice", None)]),
        ("write to alice@example.org", []),
        ("https://example.org/@alice", []),
        ("@alice@256.1.1.1", []),
        ("@alice@example.org:99999", []),
        ("@", []),
    ],
)
def test_people_are_found_by_their_address(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert mentions.mentions(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#fête (#Tram) ＃市", ["fête", "Tram", "市"]),
        ("#Paris #PARIS #Pàris", ["Paris"]),
        ("#2026 #2026budget", ["2026budget"]),
        ("#हिन्दी", ["हिन्दी"]),
        ("#e\u0301cole", ["e\u0301cole"]),
        ("#col·lectiu.", ["col·lectiu"]),
        ("#end·", ["end"]),
        ("a#b https://example.org/#c /#d ##e", ["e"]),
        ("# alone", []),
    ],
)
def test_hashtags_are_words_with_a_letter_outside_addresses(text: str, expected: list[str]) -> None:
    assert mentions.hashtags(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.org.", ["https://example.org"]),
        ("(see https://example.org/a_(b)).", ["https://example.org/a_(b)"]),
        ("見てhttps://例え.jp/道。次", ["https://例え.jp/道"]),
        ("HTTP://Example.org:8080/x?y=z#w!", ["HTTP://Example.org:8080/x?y=z#w"]),
        ("http://localhost:8001/@alice", ["http://localhost:8001/@alice"]),
        ("https://city.example:pass@evil.example/", []),
        ("https://city.example@evil.example/", []),
        ("http://1.2.3.999/ http://x.org:99999/ ftp://x.org javascript:alert(1)", []),
    ],
)
def test_links_end_where_the_sentence_goes_on(text: str, expected: list[str]) -> None:
    assert [shown for kind, shown in kinds(text) if kind == "link"] == expected


def test_pieces_come_in_the_order_of_the_text() -> None:
    text = "#a @b https://c.org/@d#e @f@g.org"
    assert kinds(text) == [
        ("hashtag", "#a"),
        ("mention", "@b"),
        ("link", "https://c.org/@d#e"),
        ("mention", "@f@g.org"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("été", 3),
        ("e\u0301te\u0301", 3),
        ("https://example.org/" + "a" * 500, 23),
        ("http://a.b", 23),
        ("@bela@example.org hi", 8),
        ("👨‍👩‍👧🇫🇷🇩🇪👍🏽❤️", 5),
        ("a\r\nb", 3),
    ],
)
def test_length_is_what_readers_count(text: str, expected: int) -> None:
    assert mentions.length(text) == expected


@given(st.text())
def test_a_tag_in_normal_form_stays_so(name: str) -> None:
    normal = mentions.normal_tag(name)
    assert mentions.normal_tag(normal) == normal


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("ÉCOLE", "ecole"),
        ("Ｔｒａｍ", "tram"),
        ("Łódź", "lodz"),
        ("Straße", "strasse"),
        ("が", "が"),
        ("й", "й"),
        ("İzmir", "izmir"),
    ],
)
def test_spellings_of_one_tag_share_a_normal_form(name: str, normal: str) -> None:
    assert mentions.normal_tag(name) == normal


def test_a_very_long_text_is_read_in_linear_time() -> None:
    for hostile in ("http://a/" + ")" * 200_000, "@a" * 100_000, "#" * 200_000, "http://" + "a." * 100_000):
        assert mentions.length(hostile) <= len(hostile) + 23


@pytest.mark.parametrize(
    ("text", "name"),
    [("Fête", "Fête"), (" #Fête ", "Fête"), ("＃x", "x"), ("a·b", "a·b"), ("12", None), ("", None), ("#", None), ("a b", None),
     ("a-b", None), ("x" * 200, "x" * 200), ("x" * 201, None), ("ﷺ" * 30, None), ("a\x00", None)],
)
def test_a_hashtag_by_itself_is_what_could_stand_in_a_text(text: str, name: str | None) -> None:
    assert mentions.tag_name(text) == name


@given(st.text(max_size=30))
def test_a_hashtag_by_itself_is_found_in_a_text_of_it_alone(text: str) -> None:
    name = mentions.tag_name(text)
    assert name is None or mentions.hashtags(f"#{name}") == [name]

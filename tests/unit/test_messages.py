from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from parvis.text import messages
from parvis.text.messages import words

HERE = Path(messages.__file__).parent
TEMPLATES = HERE.parents[1] / "web" / "templates"
CITY = {"title": "La place <de> Paris", "domain": "place.example", "origin": "https://place.example"}
CONFIRM = {"city": CITY, "username": "alice", "link": "https://place.example/confirm?token=x&y=1", "hours": 48}
STATEMENT = {
    "city": CITY,
    "username": "bela",
    "decision": "Removal of the content",
    "subject": "a post of 21 November",
    "starts": "23 November 2026",
    "ends": None,
    "ground_label": "Article 5, version 1",
    "ground_text": "Private addresses stay private.",
    "ground_url": "https://place.example/charter/articles/5",
    "facts": "The post gave the <address> of a caretaker.",
    "automated": False,
    "notified": True,
    "appeal_until": "23 May 2027",
    "appeal_url": "https://place.example/appeals/new?decision=7",
    "register_url": "https://place.example/register/7",
}


TOLD = {
    "city": CITY, "username": "alice", "title": "Bela <b> mentioned you", "acct": "bela", "text": "Shall <we> go?", "private": False,
    "link": "https://place.example/@bela/1", "unsubscribe": "https://place.example/unsubscribe?token=x&y=1",
}
DIGEST = {
    "city": CITY, "username": "alice", "rows": [{"name": "Bela", "acct": "bela", "link": "https://place.example/@bela/1", "text": "Shall <we> go?"}],
    "more": True, "unsubscribe": "https://place.example/unsubscribe?token=x&y=1",
}
NEWS = {
    "city": CITY, "name": "The <town> hall", "acct": "hall", "text": "Shall <we> go?", "start": "Shall <we> go?", "language": "en",
    "files": ["", "A <stall>"], "link": "https://place.example/@bela/1", "unsubscribe": "https://place.example/unsubscribe?token=x&y=1",
}
SUBSCRIBE = {
    "city": CITY, "name": "The <town> hall", "acct": "hall", "hours": 24, "link": "https://place.example/subscriptions/confirm?token=x&y=1",
}


def forms(msgid: object) -> tuple[str, ...]:
    return tuple(msgid) if isinstance(msgid, tuple | list) else (str(msgid),)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[a-z]", text))


@pytest.fixture(scope="module")
def french() -> Catalog:
    return read_po(BytesIO((HERE / "fr.po").read_bytes()), locale="fr")


@pytest.fixture(scope="module")
def used() -> set[tuple[str, ...]]:
    options = {"jinja2": {"newstyle_gettext": "true", "silent": "false"}}
    found = [one for folder in (TEMPLATES, HERE / "prose") for one in extract_from_dir(folder, [("**.html", "jinja2")], options)]
    return {forms(msgid) for _, _, msgid, _, _ in found} | {(text,) for text in words.messages()}


def entries(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def test_every_message_of_the_pages_has_its_french(french: Catalog, used: set[tuple[str, ...]]) -> None:
    translated = {forms(message.id) for message in entries(french) if all(forms(message.string))}
    assert len(used) > 200
    assert sorted(used - translated) == []


def test_the_french_catalogue_holds_nothing_that_no_page_says(french: Catalog, used: set[tuple[str, ...]]) -> None:
    assert sorted({forms(message.id) for message in entries(french)} - used) == []


def test_no_translation_is_fuzzy(french: Catalog) -> None:
    assert not french.fuzzy
    assert [message.id for message in entries(french) if message.fuzzy] == []


def test_a_translation_keeps_the_placeholders_and_the_links(french: Catalog) -> None:
    for message in entries(french):
        for source, target in zip(forms(message.id), forms(message.string), strict=True):
            assert placeholders(source) == placeholders(target), source
            assert sorted(re.findall(r"<[^>]+>", source)) == sorted(re.findall(r"<[^>]+>", target)), source


def test_french_punctuation_never_starts_a_line(french: Catalog) -> None:
    texts = [text for message in entries(french) for text in forms(message.string)]
    texts += [path.read_text() for path in HERE.rglob("*.fr.txt")]
    assert [text for text in texts if re.search(r" [:;?!»]|« |\w'\w", text)] == []


def test_french_is_spoken_with_its_plural_rule() -> None:
    spoken = messages.catalogue("fr")
    assert spoken.gettext("The charter") == "La charte"
    assert spoken.ngettext("%(shown)s reply", "%(shown)s replies", 0) == "%(shown)s réponse"
    assert spoken.ngettext("%(shown)s reply", "%(shown)s replies", 2) == "%(shown)s réponses"


@pytest.mark.parametrize("locale", ["en", "de", "../fr", ""])
def test_a_language_without_catalogue_says_the_english_of_the_source(locale: str) -> None:
    assert messages.catalogue(locale).gettext("The charter") == "The charter"


@pytest.mark.parametrize(
    ("accept", "chosen", "expected"),
    [
        ("en-GB,en;q=0.9", None, "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", None, "fr"),
        ("de-DE,de;q=0.9,en;q=0.5,fr;q=0.3", None, "en"),
        ("en;q=0.2, fr;q=0.7", None, "fr"),
        ("en;q=0, fr;q=0.1", None, "fr"),
        ("en-GB,en;q=0.9", "fr", "fr"),
        ("fr", "en", "en"),
        ("en", "tlh", "en"),
        ("de, ja", None, "fr"),
        ("*", None, "fr"),
        ("", None, "fr"),
        (None, None, "fr"),
    ],
)
def test_the_reader_chooses_then_the_browser_then_the_city(
    accept: str | None, chosen: str | None, expected: str
) -> None:
    assert messages.negotiated(accept, chosen) == expected


@given(st.one_of(st.none(), st.text()), st.one_of(st.none(), st.text()))
def test_any_header_gives_a_language_we_speak(accept: str | None, chosen: str | None) -> None:
    assert messages.negotiated(accept, chosen) in messages.LOCALES


@given(st.text(), st.sampled_from(messages.LOCALES))
def test_a_choice_beats_any_header(accept: str, chosen: messages.Locale) -> None:
    assert messages.negotiated(accept, chosen) == chosen


@pytest.mark.parametrize("locale", messages.LOCALES)
def test_a_confirmation_carries_its_link_and_escapes_names_in_html_only(locale: messages.Locale) -> None:
    letter = messages.letter(messages.letters(), "confirm", locale, CONFIRM)
    assert letter.subject.endswith("La place <de> Paris")
    assert "https://place.example/confirm?token=x&y=1" in letter.text
    assert 'href="https://place.example/confirm?token=x&amp;y=1"' in letter.html
    assert "<de>" not in letter.html
    assert f'<html lang="{locale}">' in letter.html


@pytest.mark.parametrize("locale", messages.LOCALES)
@pytest.mark.parametrize(("letter", "values"), [("archive", {"city": CITY, "username": "alice", "link": "https://place.example/x", "days": 7})])
def test_a_letter_says_all_that_it_is_given(locale: messages.Locale, letter: str, values: dict[str, object]) -> None:
    made = messages.letter(messages.letters(), letter, locale, values)
    for said in ("alice", "https://place.example/x", "7"):
        assert said in made.text
        assert said in made.html
    for missing in values:
        with pytest.raises(UndefinedError):
            messages.letter(messages.letters(), letter, locale, {key: value for key, value in values.items() if key != missing})


@pytest.mark.parametrize("locale", messages.LOCALES)
def test_a_statement_of_reasons_says_decision_rule_facts_and_appeal(locale: messages.Locale) -> None:
    letter = messages.letter(messages.letters(), "statement", locale, STATEMENT)
    for key in ("decision", "subject", "starts", "ground_label", "ground_text", "ground_url", "appeal_until"):
        assert str(STATEMENT[key]) in letter.text, key
        assert str(STATEMENT[key]) in letter.html, key
    assert "gave the <address> of a caretaker" in letter.text
    assert "&lt;address&gt;" in letter.html
    for key in ("appeal_url", "register_url"):
        assert str(STATEMENT[key]) in letter.text
        assert f'href="{STATEMENT[key]}"' in letter.html


@pytest.mark.parametrize("missing", sorted(STATEMENT))
def test_a_statement_with_a_hole_is_never_sent(missing: str) -> None:
    values = {key: value for key, value in STATEMENT.items() if key != missing}
    with pytest.raises(UndefinedError):
        messages.letter(messages.letters(), "statement", "fr", values)


@pytest.mark.parametrize("locale", messages.LOCALES)
@pytest.mark.parametrize(("name", "values"), [("told", TOLD), ("digest", DIGEST), ("news", NEWS)])
def test_what_happened_is_told_with_a_link_that_stops_it(locale: messages.Locale, name: str, values: dict[str, object]) -> None:
    letter = messages.letter(messages.letters(), name, locale, values)
    assert "Shall <we> go?" in letter.text
    assert "Shall &lt;we&gt; go?" in letter.html
    assert "https://place.example/@bela/1" in letter.text
    assert "https://place.example/unsubscribe?token=x&y=1" in letter.text
    assert 'href="https://place.example/unsubscribe?token=x&amp;y=1"' in letter.html
    for missing in set(values) - {"private"}:
        with pytest.raises(UndefinedError):
            messages.letter(messages.letters(), name, locale, {key: value for key, value in values.items() if key != missing})


@pytest.mark.parametrize("locale", messages.LOCALES)
def test_whoever_is_to_receive_posts_is_asked_whose_they_are(locale: messages.Locale) -> None:
    letter = messages.letter(messages.letters(), "subscribe", locale, SUBSCRIBE)
    assert "The <town> hall" in letter.subject
    assert "The <town> hall (@hall)" in letter.text
    assert "The &lt;town&gt; hall" in letter.html
    assert "https://place.example/subscriptions/confirm?token=x&y=1" in letter.text
    assert 'href="https://place.example/subscriptions/confirm?token=x&amp;y=1"' in letter.html
    for missing in SUBSCRIBE:
        with pytest.raises(UndefinedError):
            messages.letter(messages.letters(), "subscribe", locale, {key: value for key, value in SUBSCRIBE.items() if key != missing})


def test_what_is_not_for_everybody_does_not_stand_in_a_letter() -> None:
    letter = messages.letter(messages.letters(), "told", "en", {**TOLD, "text": "", "private": True})
    assert "not for everybody" in letter.text
    assert "not for everybody" in letter.html


def test_a_name_with_a_line_break_cannot_add_a_mail_header() -> None:
    city = {**CITY, "title": "Paris\nBcc: carol@example.org"}
    letter = messages.letter(messages.letters(), "confirm", "en", {**CONFIRM, "city": city})
    assert "\n" not in letter.subject
    assert "Bcc" not in letter.subject


def test_every_form_that_changes_something_carries_the_token() -> None:
    posts = [
        form
        for path in TEMPLATES.rglob("*.html")
        for form in re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.DOTALL)
    ]
    assert len(posts) >= 8
    assert [form for form in posts if 'name="csrf" value="{{ csrf }}"' not in form] == []


def test_pages_bring_no_script_and_no_inline_style() -> None:
    pages = {path.name: path.read_text() for path in TEMPLATES.rglob("*.html")}
    passkeys = """<script defer src="{{ asset('passkeys.js') }}"></script>"""
    scripted = {"sign_in.html", "security.html"}  # navigator.credentials has no form; both pages work without
    assert {name for name, text in pages.items() if passkeys in text} == scripted
    pages = {name: text.replace(passkeys, "") for name, text in pages.items()}
    assert [name for name, text in pages.items() if re.search(r"<script|\sstyle=|\son\w+=|javascript:", text)] == []

"""ActivityPub as it is really sent: lenient where it does no harm, strict where it would."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parvis.accounts.model import Account
from parvis.base.errors import Invalid
from parvis.federation import documents, jsonld, verbs, vocabulary, wire
from parvis.federation.queries import Outline
from parvis.federation.vocabulary import PUBLIC
from parvis.statuses.model import Status, Tagged

BELA = "https://sued.example/ap/users/7"
FOLLOWERS = f"{BELA}/followers"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

addresses = st.lists(
    st.sampled_from([PUBLIC, "as:Public", "Public", FOLLOWERS, "https://nord.example/ap/users/1"]), max_size=4
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
KEYS = [
    "id", "type", "actor", "object", "to", "cc", "published", "updated", "attributedTo", "content", "contentMap",
    "summary", "name", "url", "tag", "attachment", "inReplyTo", "sensitive", "preferredUsername", "inbox",
    "endpoints", "publicKey", "icon", "alsoKnownAs", "mediaType", "focalPoint", "href", "quote", "quoteUri",
    "quoteAuthorization", "interactionPolicy", "canQuote", "canReply", "automaticApproval", "always", "instrument",
    "result", "interactingObject", "interactionTarget",
]
words = st.sampled_from(["Note", "Person", "Create", "Mention", "Hashtag", "PropertyValue", BELA, PUBLIC, "Document"])
documents_of_any_kind = st.recursive(
    json_values | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8),
    max_leaves=30,
)


def bela(**more: Any) -> Account:
    """Somebody of Süd."""
    given: dict[str, Any] = {
        "id": 7, "username": "bela", "domain": None, "uri": BELA, "url": "https://sued.example/@bela",
        "actor_type": "Person", "display_name": "Béla", "note": "", "locked": False, "bot": False, "created_at": NOW,
        "suspended_at": None, "limited_at": None, "deleted_at": None, "moved_to_id": None, "public_key": "PEM",
        "inbox_url": f"{BELA}/inbox", "shared_inbox_url": None, "outbox_url": None, "followers_url": FOLLOWERS,
        "following_url": None, "featured_url": None, "fetched_at": None, "version": 1,
    }
    return Account(**(given | more))


def post(**more: Any) -> Status:
    """A post of hers."""
    given: dict[str, Any] = {
        "id": 9, "account_id": 7, "uri": f"{BELA}/statuses/9", "url": "https://sued.example/@bela/9", "local": True,
        "text": "", "content": "<p>Salut</p>", "spoiler_text": "", "sensitive": False, "visibility": "public",
        "language": "fr", "in_reply_to_id": None, "in_reply_to_account_id": None, "conversation_id": 9,
        "reblog_of_id": None, "created_at": NOW, "received_at": NOW, "edited_at": None, "deleted_at": None,
        "removed_at": None, "quote_automatic": [], "quote_manual": [], "reply_policy": "public", "reply_hidden": False,
        "local_only": False, "version": 1,
    }
    return Status(**(given | more))


def written(status: Status, *named: Account) -> dict[str, Any]:
    """The document of a post that names some people."""
    tags = (Tagged(status.id, "fete", "Fête"),)
    made = documents.Written(bela(), status, tuple((one, False) for one in named), tags, (), Outline(1, 2, 3))
    return documents.note(made, "https://sued.example")


@given(st.dictionaries(st.sampled_from(KEYS), documents_of_any_kind, max_size=12))
def test_whatever_a_document_holds_it_is_read_or_refused(found: dict[str, Any]) -> None:
    for read in (vocabulary.activity, vocabulary.actor, vocabulary.note, vocabulary.authorization):
        with contextlib.suppress(Invalid):
            made = read(found)
            assert jsonld.host(made.id)
            assert isinstance(msgspec.json.encode(made), bytes)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_an_object_or_refused(body: bytes) -> None:
    with contextlib.suppress(Invalid):
        assert isinstance(jsonld.document(body), dict)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"[]", "not_an_object"), (b"{", "not_json"), (b'{"a":' * 30 + b"1" + b"}" * 30, "too_deep"),
     (b'"' + b"x" * 1_000_000 + b'"', "too_large"), (b'{"a":' * 100_000, "not_json")],
)
def test_a_document_has_limits(body: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        jsonld.document(body)
    assert caught.value.word == code


@given(addresses, addresses, st.booleans())
def test_a_post_is_never_shown_wider_than_it_is_addressed(to: list[str], cc: list[str], direct: bool) -> None:
    seen = vocabulary.addressing(to, cc, FOLLOWERS, direct)
    everybody = {PUBLIC, "as:Public", "Public"}
    assert (seen in ("public", "unlisted")) == bool(everybody & {*to, *cc})
    if seen == "public":
        assert everybody & set(to)
    if seen == "private":
        assert FOLLOWERS in to
        assert not direct


@given(addresses, addresses)
def test_followers_we_do_not_know_the_address_of_are_nobody(to: list[str], cc: list[str]) -> None:
    assert vocabulary.addressing(to, cc, None, False) != "private"


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private", "direct"])
def test_what_we_write_is_read_with_the_visibility_it_has(visibility: str) -> None:
    emil = bela(id=8, username="emil", uri="https://nord.example/ap/users/8", domain="nord.example")
    read = vocabulary.note(written(post(visibility=visibility), emil))
    assert vocabulary.addressing(read.to, read.cc, FOLLOWERS, read.direct) == visibility
    assert read.mentions == (emil.uri,)
    assert emil.uri in (*read.to, *read.cc)


def test_what_we_write_is_read_as_it_was() -> None:
    found = written(post(spoiler_text="Attention", sensitive=True, edited_at=NOW + timedelta(hours=1)))
    read = vocabulary.note(msgspec.json.decode(documents.encoded(found)))
    assert (read.id, read.attributed_to, read.content) == (f"{BELA}/statuses/9", BELA, "<p>Salut</p>")
    assert (read.summary, read.sensitive, read.language) == ("Attention", True, "fr")
    assert (read.published, read.updated) == (NOW, NOW + timedelta(hours=1))
    assert read.hashtags == ("Fête",)
    assert read.url == "https://sued.example/@bela/9"


def test_a_context_holds_the_terms_that_are_used_and_no_more() -> None:
    plain = documents.in_context({"id": "x", "type": "Like"})
    assert plain["@context"] == "https://www.w3.org/ns/activitystreams"
    note = documents.in_context(written(post(visibility="direct")))
    assert note["@context"][1].keys() == {
        "litepub", "gts", "Hashtag", "directMessage", "sensitive", "interactionPolicy", "canQuote", "automaticApproval",
    }
    actor = documents.in_context(documents.instance("https://sued.example", "Süd", "PEM"))
    assert "https://w3id.org/security/v1" in actor["@context"]


def test_the_posts_of_others_are_never_written_as_ours() -> None:
    made = documents.Written(bela(domain="nord.example"), post(), (), (), (), Outline(0, 0, 0))
    with pytest.raises(ValueError, match="own posts"):
        documents.note(made, "https://sued.example")


def test_a_post_that_stays_in_the_city_is_never_written() -> None:
    with pytest.raises(ValueError, match="stays in this city"):
        written(post(local_only=True))
    with pytest.raises(ValueError, match="stays in this city"):
        verbs.announce(post(), bela(), post(local_only=True), bela())


def test_who_may_quote_and_answer_is_written_as_it_is_read() -> None:
    found = written(post(quote_automatic=["followers"], reply_policy="nobody"))
    assert found["interactionPolicy"]["canQuote"] == {"automaticApproval": [FOLLOWERS]}
    read = vocabulary.note(found)
    assert read.can_quote == vocabulary.Rule((FOLLOWERS,), ())
    assert read.can_reply == vocabulary.Rule((BELA,), ())
    older = vocabulary.note(found | {"interactionPolicy": {"canReply": {"always": "as:Public", "approvalRequired": []}}})
    assert (older.can_quote, older.can_reply) == (None, vocabulary.Rule((PUBLIC,), ()))


@pytest.mark.parametrize(
    ("said", "quote", "legacy"),
    [({"quote": f"{BELA}/1"}, f"{BELA}/1", False), ({"quoteUri": f"{BELA}/1"}, f"{BELA}/1", True),
     ({"_misskey_quote": f"{BELA}/2"}, f"{BELA}/2", True), ({"quote": {"type": "Tombstone", "id": f"{BELA}/1"}}, None, True),
     ({"quote": "nonsense"}, None, True), ({}, None, True)],
)
def test_what_is_quoted_is_read_however_it_is_said(said: dict[str, Any], quote: str | None, legacy: bool) -> None:
    read = vocabulary.note({"id": f"{BELA}/o", "type": "Note", "attributedTo": BELA} | said)
    assert (read.quote, read.quote_legacy) == (quote, legacy)


def test_values_may_stand_alone_or_in_a_list_named_or_written_out() -> None:
    found = {
        "id": f"{BELA}/a", "type": ["as:Create"], "actor": {"id": BELA, "type": "Person"}, "to": "as:Public",
        "cc": [{"id": FOLLOWERS}], "object": [{"id": f"{BELA}/o", "type": "Note"}],
    }
    read = vocabulary.activity(found)
    assert (read.type, read.actor, read.object) == ("Create", BELA, f"{BELA}/o")
    assert (read.to, read.cc) == (("as:Public",), (FOLLOWERS,))


def test_a_key_of_another_owner_or_server_is_no_key_of_the_actor() -> None:
    base = {"id": BELA, "type": "Person", "preferredUsername": "bela", "inbox": f"{BELA}/inbox"}
    own = {"id": f"{BELA}#main-key", "owner": BELA, "publicKeyPem": "PEM"}
    stolen, far = own | {"owner": "https://nord.example/x"}, own | {"id": "https://nord.example/key"}
    assert vocabulary.actor(base | {"publicKey": stolen}).key is None
    assert vocabulary.actor(base | {"publicKey": far}).key is None
    read = vocabulary.actor(base | {"publicKey": [stolen, own]}).key
    assert read is not None
    assert read.pem == "PEM"


@pytest.mark.parametrize("name", ["", "a b", "x/../y", "é@x", "a" * 256])
def test_an_actor_with_an_impossible_name_is_refused(name: str) -> None:
    found = {"id": BELA, "type": "Person", "preferredUsername": name, "inbox": f"{BELA}/inbox"}
    with pytest.raises(Invalid):
        vocabulary.actor(found)


def test_attachments_keep_what_helps_to_show_them() -> None:
    picture = {
        "type": "Document", "mediaType": "image/webp", "url": "https://sued.example/a.webp", "name": "un chat",
        "blurhash": "LEHV6n", "width": 640, "height": -1, "focalPoint": [0.5, 3],
    }
    video = {
        "type": "Video", "url": [{"type": "Link", "mediaType": "video/mp4", "href": "https://sued.example/v.mp4"}],
        "focalPoint": [0.5, -0.5],
    }
    found = {"id": f"{BELA}/o", "type": "Note", "attributedTo": BELA, "attachment": [picture, video, {"type": "Link"}]}
    first, second = vocabulary.note(found).attachments
    assert (first.media_type, first.description, first.width, first.height) == ("image/webp", "un chat", 640, None)
    assert (first.blurhash, first.focus) == ("LEHV6n", (0.0, 0.0))
    assert (second.url, second.media_type, second.focus) == ("https://sued.example/v.mp4", "video/mp4", (0.5, -0.5))


@pytest.mark.parametrize(
    ("uri", "host"),
    [("https://Sued.Example/x", "sued.example"), ("https://sued.example:443/x", "sued.example"),
     ("https://sued.example:8443/x", "sued.example:8443"), ("http://localhost:8000/x", "localhost:8000"),
     ("https://user@sued.example/", ""), ("javascript:alert(1)", ""), ("acct:bela@sued.example", ""), ("", "")],
)
def test_the_host_of_an_address(uri: str, host: str) -> None:
    assert jsonld.host(uri) == host


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [("application/activity+json", True), ("application/activity+json; charset=utf-8", True),
     ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True), ("application/ld+json", False),
     ("application/json", False), ("text/html", False), ("", False),
     ('application/ld+json; profile="https://example.org/other"', False)],
)
def test_only_the_types_of_activitypub_are_statements(content_type: str, taken: bool) -> None:
    assert wire.speaks_activitypub(content_type) is taken

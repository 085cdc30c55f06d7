"""The words of ActivityPub that we understand, read leniently from what other servers really send. Pure.

A value may stand alone or in a list, an object may be written out or only named, `as:Public` is `Public`; properties we
do not know are ignored, and so is the context: the fediverse's terms are taken by their compact names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from parvis.base.errors import Invalid
from parvis.emojis.model import Heard
from parvis.federation import multikeys
from parvis.federation.jsonld import (
    Document,
    address,
    count,
    host,
    items,
    kind,
    moment,
    needed,
    page,
    picture,
    reference,
    references,
    size,
    text,
)
from parvis.federation.multikeys import Multikey

NAME_LENGTH = 2_048
SUMMARY_LENGTH = 20_000
FIELDS, FIELD_LENGTH = 50, 2_047
ALIASES = 256
ATTACHMENTS = 4
DESCRIPTION_LENGTH = 10_000
KEY_LENGTH = 5_000

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
_PUBLIC_NAMES = frozenset((PUBLIC, "as:Public", "Public"))
ACTOR_TYPES = frozenset(("Person", "Service", "Group", "Application", "Organization"))
NOTE_TYPES = frozenset(("Note", "Question"))
TITLED_TYPES = frozenset(("Article", "Page", "Image", "Audio", "Video", "Event"))
FILE_TYPES = frozenset(("Document", "Image", "Audio", "Video"))

_USERNAME = re.compile(r"[\w.-]{1,255}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}")

Visibility = Literal["public", "unlisted", "private", "direct"]


class Key(msgspec.Struct, frozen=True):
    """A public key as its owner publishes it."""

    id: str
    owner: str
    pem: str


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who acts."""

    id: str
    type: str
    username: str
    inbox: str
    name: str = ""
    summary: str = ""
    url: str | None = None
    shared_inbox: str | None = None
    outbox: str | None = None
    followers: str | None = None
    following: str | None = None
    featured: str | None = None
    locked: bool = False
    discoverable: bool | None = None
    indexable: bool = False
    shows: tuple[bool, ...] = (True, True, True)
    attribution_domains: tuple[str, ...] = ()
    can_feature: Rule | None = None
    key: Key | None = None
    multikeys: tuple[Multikey, ...] = ()
    icon: str | None = None
    image: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    also_known_as: tuple[str, ...] = ()
    moved_to: str | None = None
    published: datetime | None = None
    emojis: tuple[Heard, ...] = ()


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file shown with a note."""

    url: str
    media_type: str
    description: str | None = None
    blurhash: str | None = None
    width: int | None = None
    height: int | None = None
    focus: tuple[float, float] = (0.0, 0.0)
    preview: str | None = None


class Rule(msgspec.Struct, frozen=True):
    """Who may do something to a post: at once, or after its author has looked."""

    automatic: tuple[str, ...]
    manual: tuple[str, ...]


class Authorization(msgspec.Struct, frozen=True):
    """That the author of one post agrees to be quoted by another (FEP-044f)."""

    id: str
    attributed_to: str
    quoting: str
    quoted: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a post asks: the answers, how often each was chosen, by how many people, and until when."""

    multiple: bool
    options: tuple[str, ...]
    votes: tuple[int, ...]
    voters: int | None
    ends: datetime | None
    closed: bool


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A post."""

    id: str
    attributed_to: str
    content: str
    title: str = ""
    summary: str = ""
    url: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    in_reply_to: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    sensitive: bool = False
    direct: bool = False
    language: str | None = None
    mentions: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    emojis: tuple[Heard, ...] = ()
    quote: str | None = None
    quote_legacy: bool = False
    quote_authorization: str | None = None
    can_quote: Rule | None = None
    can_reply: Rule | None = None
    question: Question | None = None
    choice: str = ""
    """The answer that a vote names: a vote is a note with a name and nothing else."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Someone does something: `said` is all of it, `written` its object if written out, which nobody has proved."""

    id: str
    type: str
    actor: str
    object: str | None = None
    written: Document | None = None
    instrument: str | None = None
    instrument_written: Document | None = None
    result: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    published: datetime | None = None
    said: Document = msgspec.field(default_factory=dict)


def activity(found: Document) -> Activity:
    """An activity; Invalid when it lacks id, type or actor."""
    written = items(found.get("object"))
    inner = written[0] if written and isinstance(written[0], dict) else None
    with_it = items(found.get("instrument"))
    tool = with_it[0] if with_it and isinstance(with_it[0], dict) else None
    return Activity(
        id=needed(found, "id"), type=kind(found), actor=needed(found, "actor"),
        object=reference(found.get("object")), written=inner, instrument=reference(found.get("instrument")),
        instrument_written=tool, result=address(found.get("result")), to=references(found.get("to")),
        cc=references(found.get("cc")), published=moment(found.get("published")), said=found,
    )


def actor(found: Document) -> Actor:
    """An actor; Invalid when it is none or lacks what we need to speak with it."""
    if kind(found) not in ACTOR_TYPES:
        raise Invalid("type", "not_an_actor")
    username = text(found.get("preferredUsername"))
    if not _USERNAME.fullmatch(username):
        raise Invalid("preferredUsername", "unusable")
    endpoints = found.get("endpoints")
    shared = endpoints.get("sharedInbox") if isinstance(endpoints, dict) else None
    discoverable = found.get("discoverable")
    identity = needed(found, "id")
    return Actor(
        id=identity, type=kind(found), username=username, inbox=needed(found, "inbox"),
        name=text(found.get("name"))[:NAME_LENGTH], summary=text(found.get("summary"))[:SUMMARY_LENGTH],
        url=_own_page(found, identity), shared_inbox=address(shared), outbox=address(found.get("outbox")),
        followers=address(found.get("followers")), following=address(found.get("following")),
        featured=address(found.get("featured")), locked=found.get("manuallyApprovesFollowers") is True,
        discoverable=discoverable if isinstance(discoverable, bool) else None,
        indexable=found.get("indexable") is True,
        shows=tuple(found.get(name) is not False for name in ("showMedia", "showRepliesInMedia", "showFeatured")),
        attribution_domains=tuple(text(one)[:253] for one in items(found.get("attributionDomains"))[:ALIASES] if one),
        can_feature=_rule(found.get("interactionPolicy"), "canFeature"), key=_key(found, identity),
        multikeys=multikeys.read(found, identity),
        icon=picture(found.get("icon")),
        image=picture(found.get("image")), fields=_fields(found.get("attachment")),
        also_known_as=references(found.get("alsoKnownAs"))[:ALIASES], published=moment(found.get("published")),
        emojis=_emojis(found.get("tag")), moved_to=address(found.get("movedTo")),
    )


def _key(found: Document, owner: str) -> Key | None:
    """The actor's own key: one that names another owner, or lies on another server, is not its key."""
    for one in items(found.get("publicKey")):
        if isinstance(one, dict):
            key = Key(text(one.get("id")), text(one.get("owner")), text(one.get("publicKeyPem")))
            if key.owner == owner and host(key.id) == host(owner) and 0 < len(key.pem) <= KEY_LENGTH:
                return key
    return None


def _fields(value: object) -> tuple[tuple[str, str], ...]:
    rows = [one for one in items(value) if isinstance(one, dict) and kind(one) == "PropertyValue"]
    return tuple(
        (text(row.get("name"))[:FIELD_LENGTH], text(row.get("value"))[:FIELD_LENGTH]) for row in rows[:FIELDS]
    )


def note(found: Document) -> Note:
    """A post of any type that can be shown as one; Invalid when it is none."""
    if kind(found) not in NOTE_TYPES | TITLED_TYPES:
        raise Invalid("type", "not_a_note")
    content, language = _content(found)
    titled = kind(found) in TITLED_TYPES
    quote = _quoted(found.get("quote"))
    policy = found.get("interactionPolicy")
    tags = [one for one in items(found.get("tag")) if isinstance(one, dict)]
    identity = needed(found, "id")
    return Note(
        id=identity, attributed_to=needed(found, "attributedTo"), content=content,
        title=text(found.get("name"))[:NAME_LENGTH] if titled else "",
        summary=text(found.get("summary"))[:SUMMARY_LENGTH], url=_own_page(found, identity),
        to=references(found.get("to")), cc=references(found.get("cc")), in_reply_to=address(found.get("inReplyTo")),
        published=moment(found.get("published")), updated=moment(found.get("updated")),
        sensitive=found.get("sensitive") is True, direct=found.get("directMessage") is True, language=language,
        mentions=tuple(href for one in tags if kind(one) == "Mention" and (href := address(one.get("href")))),
        hashtags=tuple(
            text(one.get("name"))[:NAME_LENGTH].removeprefix("#") for one in tags if kind(one) == "Hashtag"
        ),
        attachments=_attachments(found), emojis=_emojis(found.get("tag")),
        quote=quote or _legacy_quote(found), quote_legacy=quote is None,
        quote_authorization=address(found.get("quoteAuthorization")), can_quote=_rule(policy, "canQuote"),
        can_reply=_rule(policy, "canReply"), question=_question(found),
        choice=_choice(found) if not (content or found.get("attachment")) else "",
    )


def _quoted(value: object) -> str | None:
    """What is quoted; nothing, when it is said to be gone."""
    gone = any(isinstance(one, dict) and kind(one) == "Tombstone" for one in items(value))
    return None if gone else address(value)


def _legacy_quote(found: Document) -> str | None:
    """What is quoted as it was said before one asked: by Fedibird, Akkoma and Misskey."""
    given = (address(found.get(name)) for name in ("quoteUri", "quoteUrl", "_misskey_quote"))
    return next((one for one in given if one), None)


def _rule(policy: object, name: str) -> Rule | None:
    """One part of an interaction policy, in the words of today or of GoToSocial before 0.21."""
    part = policy.get(name) if isinstance(policy, dict) else None
    if not isinstance(part, dict):
        return None
    automatic = part.get("automaticApproval", part.get("always"))
    manual = part.get("manualApproval", part.get("approvalRequired"))
    return Rule(tuple(normal(references(automatic))), tuple(normal(references(manual))))


def authorization(found: Document) -> Authorization:
    """An agreement to a quote; Invalid when it is none."""
    if kind(found) != "QuoteAuthorization":
        raise Invalid("type", "not_an_authorization")
    return Authorization(
        needed(found, "id"), needed(found, "attributedTo"), needed(found, "interactingObject"),
        needed(found, "interactionTarget"),
    )


def _choice(found: Document) -> str:
    return _answer(found) if kind(found) == "Note" and address(found.get("inReplyTo")) else ""


def _answer(found: Document) -> str:
    return text(found.get("name")).replace("\x00", "")[:NAME_LENGTH]


def _question(found: Document) -> Question | None:
    """What a Question asks; None when it has no answers to choose from."""
    if kind(found) != "Question":
        return None
    several = [one for one in items(found.get("anyOf")) if isinstance(one, dict)]
    rows = several or [one for one in items(found.get("oneOf")) if isinstance(one, dict)]
    answers = [(name, _tally(row)) for row in rows if (name := _answer(row))]
    closed = found.get("closed")
    ended = moment(closed)
    return Question(
        multiple=bool(several), options=tuple(name for name, _ in answers), votes=tuple(votes for _, votes in answers),
        voters=count(found.get("votersCount")), ends=ended or moment(found.get("endTime")),
        closed=ended is not None or closed is True,
    ) if answers else None


def _tally(answer: Document) -> int:
    replies = answer.get("replies")
    return count(replies.get("totalItems") if isinstance(replies, dict) else None) or 0


def _emojis(tags: object) -> tuple[Heard, ...]:
    """The small pictures that a text shows for its `:names:`."""
    rows = [one for one in items(tags) if isinstance(one, dict) and kind(one) == "Emoji"]
    read = ((text(row.get("name")).strip(":"), picture(row.get("icon")), moment(row.get("updated"))) for row in rows)
    return tuple(Heard(name, url, updated) for name, url, updated in read if name and url)


def _content(found: Document) -> tuple[str, str | None]:
    """The HTML and its language; a map of languages is used when nothing else is given."""
    content, by_language = text(found.get("content")), found.get("contentMap")
    languages = by_language if isinstance(by_language, dict) else {}
    for language, words in languages.items():
        if isinstance(words, str) and _LANGUAGE.fullmatch(language) and content in ("", words):
            return words, language
    return content, None


def _attachments(found: Document) -> tuple[Attachment, ...]:
    own = [found] if kind(found) in FILE_TYPES else []
    files = [_attachment(one) for one in [*items(found.get("attachment")), *own] if isinstance(one, dict)]
    return tuple(file for file in files if file is not None)[:ATTACHMENTS]


def _attachment(found: Document) -> Attachment | None:
    url = picture(found)
    if kind(found) not in FILE_TYPES or url is None:
        return None
    links = [one for one in items(found.get("url")) if isinstance(one, dict)]
    usual = {"Image": "image/*", "Audio": "audio/*", "Video": "video/*"}
    given = [text(one.get("mediaType")) for one in (found, *links)]
    media_type = next((one for one in given if one), usual.get(kind(found), "application/octet-stream"))
    return Attachment(
        url=url, media_type=media_type[:100],
        description=(text(found.get("name")) or text(found.get("summary")))[:DESCRIPTION_LENGTH] or None,
        blurhash=text(found.get("blurhash"))[:100] or None, width=size(found.get("width")),
        height=size(found.get("height")), focus=_focus(found.get("focalPoint")),
        preview=picture(found.get("icon")),
    )


def _focus(value: object) -> tuple[float, float]:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(one, int | float) for one in value):
        x, y = (float(one) for one in value)
        if abs(x) <= 1 and abs(y) <= 1:
            return x, y
    return 0.0, 0.0


def addressing(to: Iterable[str], cc: Iterable[str], followers_url: str | None, direct_message: bool) -> Visibility:
    """Who is meant to see a post, from whom it is addressed to. What fits no wider circle is direct."""
    first, second = normal(to), normal(cc)
    if PUBLIC in first:
        return "public"
    if PUBLIC in second:
        return "unlisted"
    if followers_url and followers_url in first and not direct_message:
        return "private"
    return "direct"


def normal(addresses: Iterable[str]) -> set[str]:
    """Addresses with the one name for everybody."""
    return {PUBLIC if one in _PUBLIC_NAMES else one for one in addresses}


def _own_page(found: Document, identity: str) -> str | None:
    """The page of what is described; one on another server would pass this off as somebody else's."""
    url = page(found.get("url"))
    return url if url and host(url) == host(identity) else None



"""Our people and posts in the words of ActivityPub, with a context of exactly the terms that are used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, Literal

import msgspec

from parvis.accounts import queries as people
from parvis.accounts.model import Account, Shown
from parvis.base.clock import mastodon_time
from parvis.base.db import Read
from parvis.emojis import queries as emojis
from parvis.emojis.model import Emoji
from parvis.federation import integrity, multikeys, queries, wire
from parvis.federation.jsonld import Document, host
from parvis.federation.keys import queries as keys
from parvis.federation.queries import Outline
from parvis.federation.vocabulary import PUBLIC
from parvis.media import queries as files
from parvis.media.model import Media
from parvis.polls import queries as polls
from parvis.polls.model import Option, Poll
from parvis.quotes import queries as quotes
from parvis.quotes.model import Grant, Quote
from parvis.statuses import queries as posts
from parvis.statuses.model import Status, Tagged
from parvis.text import html

ACTIVITYSTREAMS = "https://www.w3.org/ns/activitystreams"
SECURITY = "https://w3id.org/security/v1"
MULTIKEY = "https://w3id.org/security/multikey/v1"
VOCABULARIES = {
    "toot": "http://joinmastodon.org/ns#",
    "schema": "http://schema.org#",
    "litepub": "http://litepub.social/ns#",
    "gts": "https://gotosocial.org/ns#",
    "fedibird": "http://fedibird.com/ns#",
    "misskey": "https://misskey-hub.net/ns#",
}
TERMS: dict[str, Any] = {
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "sensitive": "as:sensitive",
    "Hashtag": "as:Hashtag",
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
    "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
    "featured": {"@id": "toot:featured", "@type": "@id"},
    "featuredTags": {"@id": "toot:featuredTags", "@type": "@id"},
    "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
    "blurhash": "toot:blurhash",
    "Emoji": "toot:Emoji",
    "votersCount": "toot:votersCount",
    "discoverable": "toot:discoverable",
    "indexable": "toot:indexable",
    "memorial": "toot:memorial",
    "attributionDomains": {"@id": "toot:attributionDomains", "@container": "@set"},
    "showFeatured": "toot:showFeatured",
    "showMedia": "toot:showMedia",
    "showRepliesInMedia": "toot:showRepliesInMedia",
    "assertionMethod": {"@id": "https://w3id.org/security#assertionMethod", "@type": "@id", "@container": "@set"},
    "canFeature": {"@id": "https://w3id.org/fep/7aa9#canFeature", "@type": "@id"},
    "PropertyValue": "schema:PropertyValue",
    "value": "schema:value",
    "directMessage": "litepub:directMessage",
    "quote": {"@id": "https://w3id.org/fep/044f#quote", "@type": "@id"},
    "quoteUri": "fedibird:quoteUri",
    "_misskey_quote": "misskey:_misskey_quote",
    "quoteAuthorization": {"@id": "https://w3id.org/fep/044f#quoteAuthorization", "@type": "@id"},
    "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
    "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
    "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
    "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
    "canReply": {"@id": "gts:canReply", "@type": "@id"},
    "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
    "manualApproval": {"@id": "gts:manualApproval", "@type": "@id"},
    "interactingObject": {"@id": "gts:interactingObject", "@type": "@id"},
    "interactionTarget": {"@id": "gts:interactionTarget", "@type": "@id"},
}


class Asked(msgspec.Struct, frozen=True):
    """A poll at one moment."""

    poll: Poll
    options: tuple[Option, ...]
    voters: int | None
    ended: bool


class Written(msgspec.Struct, frozen=True):
    """A post with all that its document says."""

    author: Account
    status: Status
    named: tuple[tuple[Account, bool], ...]
    tags: tuple[Tagged, ...]
    media: tuple[Media, ...]
    outline: Outline
    quote: Quote | None = None
    quoted: Status | None = None
    asked: Asked | None = None


async def asked(r: Read, status_id: int) -> Asked | None:
    """The poll of a post as it is at this moment."""
    poll = await polls.of_status(r, status_id)
    if poll is None:
        return None
    options, voters = await polls.options(r, poll.id), await polls.voters(r, poll.id)
    return Asked(poll, tuple(options), voters, poll.ended(r.now))


async def written(r: Read, author: Account, status: Status, known: Outline | None = None) -> Written:
    """Collect what a post's document needs; `known`: what there is of it, where that was read already."""
    there = known or await queries.outline(r, status.id)
    named = {one.account_id: one.silent for one in await posts.mentioned(r, status.id)} if there.names else {}
    addressed = await people.by_ids(r, list(named)) if named else []
    quote = await quotes.of(r, status.id) if there.quotes else None
    return Written(
        author, status, tuple((one, named[one.id]) for one in addressed),
        tuple(Tagged(*tag) for tag in there.tags),
        tuple(await files.of_statuses(r, [status.id])) if there.files else (),
        there, quote, await posts.by_id(r, quote.quoted_id) if quote and quote.quoted_id else None,
        await asked(r, status.id) if there.asks else None,
    )


def in_context(document: Document) -> Document:
    """The document with the context that its own words need, and no more."""
    words: set[str] = set()
    _gather(words, document)
    used = sorted(words & TERMS.keys())
    terms = {name: TERMS[name] for name in used}
    needed = {str(term["@id"] if isinstance(term, dict) else term).partition(":")[0] for term in terms.values()}
    inline = {name: VOCABULARIES[name] for name in sorted(needed & VOCABULARIES.keys())} | terms
    context: list[Any] = [ACTIVITYSTREAMS]
    if "publicKey" in document:
        context.append(SECURITY)
    context += [uri for word, uri in (("proof", integrity.CONTEXT), ("Multikey", MULTIKEY)) if word in words]
    if inline:
        context.append(inline)
    return {"@context": context[0] if len(context) == 1 else context} | document


def _gather(words: set[str], value: object) -> None:
    """Add the words of a document: the names of its members, and its types."""
    if isinstance(value, dict):
        words.update(value)
        words.add(str(value.get("type")))
        value = value.values()
    elif not isinstance(value, list):
        return
    for one in value:
        if isinstance(one, (dict, list)):
            _gather(words, one)


def encoded(document: Document) -> bytes:
    """The document as it goes to other servers."""
    return msgspec.json.encode(in_context(document))


Wanted = tuple[Literal["actor", "note"], int]
Sent = tuple[Document, bytes]


async def sent(r: Read, base: str, asked: Sequence[Wanted]) -> dict[Wanted, Sent]:
    """People and posts of this city as whoever may have them is told of them, for all who ask at one moment."""
    made: dict[Wanted, Document] = {}
    notes = [number for kind, number in asked if kind == "note"]
    for status, author, there in await queries.outlined(r, notes) if notes else ():
        if not status.deleted_at:
            made["note", status.id] = note(await written(r, author, status, there), base)
    for number in [number for kind, number in asked if kind == "actor"]:
        account = await people.here(r, number)
        if account:
            made["actor", number] = await profile(r, account, (await people.shown(r, [number]))[0], base)
    return {one: (document, encoded(document)) for one, document in made.items()}


async def profile(r: Read, account: Account, shown: Shown, base: str) -> Document:
    """One of our people, with the emoji that their profile names, the key they have, and where they have moved to."""
    rows = [f"{field.get('name')} {field.get('value')}" for field in shown.fields]
    said = " ".join([account.display_name, account.note, *rows])
    document = actor(account, shown, base, await emojis.named(r, said, account.domain))
    moved = await people.by_id(r, account.moved_to_id) if account.moved_to_id else None
    key = await keys.public(r, account.id, multikeys.name(account.uri))
    return document | (multikeys.shown(account.uri, key) if key else {}) | ({"movedTo": moved.uri} if moved else {})


def actor(account: Account, shown: Shown, base: str, drawn: Sequence[Emoji] = ()) -> Document:
    """One of our people."""
    uri = account.uri
    document: Document = {
        "id": uri, "type": "Service" if account.bot else account.actor_type,
        "preferredUsername": account.username, "name": account.display_name, "summary": account.note,
        "url": account.url, "inbox": f"{uri}/inbox", "outbox": f"{uri}/outbox", "followers": f"{uri}/followers",
        "following": f"{uri}/following", "featured": f"{uri}/collections/featured",
        "featuredTags": f"{uri}/collections/tags", "manuallyApprovesFollowers": account.locked,
        "discoverable": bool(shown.discoverable), "indexable": shown.indexable, "memorial": shown.memorial,
        "showMedia": shown.show_media, "showRepliesInMedia": shown.show_media_replies,
        "showFeatured": shown.show_featured,
        "interactionPolicy": {"canFeature": {"automaticApproval": [PUBLIC if shown.discoverable else uri]}},
        "published": f"{account.created_at.astimezone(UTC):%Y-%m-%dT00:00:00Z}",
        "publicKey": _public_key(uri, account.public_key or ""), "endpoints": {"sharedInbox": f"{base}/inbox"},
        "attachment": [
            {"type": "PropertyValue", "name": field.get("name", ""), "value": field.get("value", "")}
            for field in shown.fields
        ],
        "tag": [_emoji(one, base) for one in drawn],
    }
    said = {"alsoKnownAs": shown.also_known_as, "attributionDomains": shown.attribution_domains}
    document |= {name: values for name, values in said.items() if values}
    if shown.avatar_file:
        document["icon"] = _picture(base, shown.avatar_file, shown.avatar_description)
    if shown.header_file:
        document["image"] = _picture(base, shown.header_file, shown.header_description)
    return document


def _picture(base: str, file: str, description: str) -> Document:
    return {"type": "Image", "url": file_url(base, file), "summary": description}


def instance(base: str, name: str, public_key: str) -> Document:
    """The city's own actor, which signs its questions to others."""
    uri = wire.instance_uri(base)
    return {
        "id": uri, "type": "Application", "preferredUsername": wire.INSTANCE, "name": name, "url": f"{base}/",
        "inbox": f"{base}/inbox", "outbox": f"{uri}/outbox", "manuallyApprovesFollowers": True,
        "publicKey": _public_key(uri, public_key), "endpoints": {"sharedInbox": f"{base}/inbox"},
    }


def _public_key(uri: str, pem: str) -> Document:
    return {"id": wire.key_id(uri), "owner": uri, "publicKeyPem": pem}


def file_url(base: str, file: str) -> str:
    """Where an uploaded file is shown."""
    return f"{base}/media/{file}"


def addresses(status: Status, author: Account, named: Iterable[Account]) -> tuple[list[str], list[str]]:
    """To whom a post of ours is addressed, in `to` and in `cc`."""
    followers, people_named = f"{author.uri}/followers", sorted(one.uri for one in named)
    if status.visibility == "public":
        return [PUBLIC], [followers, *people_named]
    if status.visibility == "unlisted":
        return [followers], [PUBLIC, *people_named]
    if status.visibility == "private":
        return [followers], people_named
    return people_named, []


def note(post: Written, base: str) -> Document:
    """One of our posts."""
    status, author = post.status, post.author
    if not author.local or not status.local:
        raise ValueError("only this city's own posts are written as documents")
    check_leaving(status)
    content = _quoting(post) + status.content
    to, cc = addresses(status, author, (one for one, _ in post.named))
    document: Document = {
        "id": status.uri, "type": "Note", "summary": status.spoiler_text or None, "inReplyTo": post.outline.parent,
        "published": mastodon_time(status.created_at), "url": status.url, "attributedTo": author.uri, "to": to,
        "cc": cc, "sensitive": status.sensitive, "content": content,
        "attachment": [_attachment(file, base) for file in post.media],
        "tag": [
            *(_mention(one) for one, silent in post.named if not silent), *(_hashtag(tag, base) for tag in post.tags),
            *(_emoji(one, base) for one in msgspec.convert(post.outline.emojis, list[Emoji])),
        ],
        "replies": collection(f"{status.uri}/replies", post.outline.replies, paged=True, ordered=False),
        "likes": collection(f"{status.uri}/likes", post.outline.favourites, paged=False, ordered=False),
        "shares": collection(f"{status.uri}/shares", post.outline.reblogs, paged=False, ordered=False),
        "interactionPolicy": _policy(status, author), **_quote(post),
    }
    if post.outline.context:
        document["context"] = post.outline.context
    if post.asked:
        document |= _question(post.asked)
    if status.language:
        document["contentMap"] = {status.language: content}
    if status.edited_at:
        document["updated"] = mastodon_time(status.edited_at)
    if status.visibility == "direct":
        document["directMessage"] = True
    return document


def check_leaving(status: Status) -> None:
    """The last guard: whoever asks for the document of a post that stays here has made a mistake."""
    if status.local_only:
        raise ValueError("a post that stays in this city is never written as a document")


SAID_QUOTES = ("pending", "accepted")


def _quote(post: Written) -> Document:
    """What a post quotes, for servers that ask its author and for older ones; nothing where it is refused."""
    quote = post.quote
    if quote is None or quote.state not in (*SAID_QUOTES, "deleted"):
        return {}
    if quote.state == "deleted":
        return {"quote": {"type": "Tombstone"}}
    found = dict.fromkeys(("quote", "quoteUri", "_misskey_quote"), quote.quoted_uri)
    return found | ({"quoteAuthorization": quote.approval_uri} if quote.approval_uri else {})


def _quoting(post: Written) -> str:
    """For servers without quotes: where the quoted post is, unless the text links to it anyway."""
    if post.quote is None or post.quote.state not in SAID_QUOTES:
        return ""
    url = (post.quoted.url if post.quoted else None) or post.quote.quoted_uri
    return "" if f'href="{url}"' in post.status.content else html.quote_inline(url)


def _policy(status: Status, author: Account) -> Document:
    """Who may quote and, if not everybody, answer. To say so is to promise that this city keeps to it."""
    found: Document = {"canQuote": {"automaticApproval": _circle(status.quote_automatic, author)}}
    if status.reply_policy != "public":
        found["canReply"] = {"automaticApproval": _circle([status.reply_policy], author), "manualApproval": []}
    return found


def _circle(words: Sequence[str], author: Account) -> list[str]:
    """People in one word as addresses; nobody is the author alone."""
    known = {"public": PUBLIC, "followers": f"{author.uri}/followers"}
    return [known[word] for word in words if word in known] or [author.uri]


def quote_authorization(author: Account, grant: Grant) -> Document:
    """An agreement, for whoever wants to be sure of it."""
    return {
        "id": grant.uri, "type": "QuoteAuthorization", "attributedTo": author.uri,
        "interactingObject": grant.quoting, "interactionTarget": grant.quoted,
    }


def _question(asked: Asked) -> Document:
    """The answers of a poll with their counts, which may be secret until its end."""
    poll, secret = asked.poll, asked.poll.hide_totals and not asked.ended
    answers = [
        {
            "type": "Note", "name": option.title,
            "replies": {"type": "Collection", "totalItems": 0 if secret else option.votes},
        }
        for option in asked.options
    ]
    found: Document = {
        "type": "Question", "anyOf" if poll.multiple else "oneOf": answers, "votersCount": asked.voters or 0,
    }
    if poll.expires_at:
        found |= {name: mastodon_time(poll.expires_at) for name in ("endTime", *(["closed"] if asked.ended else []))}
    return found


def _mention(account: Account) -> Document:
    name = f"@{account.username}@{account.domain or host(account.uri)}"
    return {"type": "Mention", "href": account.uri, "name": name}


def hashtag(name: str, spelled: str, base: str) -> Document:
    """A hashtag, with the page of what carries it here."""
    return {"type": "Hashtag", "href": f"{base}/tags/{name}", "name": f"#{spelled}"}


def _hashtag(tag: Tagged, base: str) -> Document:
    return hashtag(tag.name, tag.display_name, base)


def _emoji(emoji: Emoji, base: str) -> Document:
    """What stands for a `:name:`. It has no id: nobody need fetch what is written out here."""
    file = emoji.file or ""
    picture = {"type": "Image", "mediaType": f"image/{file.rpartition('.')[2]}", "url": file_url(base, file)}
    updated = {"updated": mastodon_time(emoji.updated_at)} if emoji.updated_at else {}
    return {"type": "Emoji", "name": f":{emoji.shortcode}:", **updated, "icon": picture}


def _attachment(file: Media, base: str) -> Document:
    found: Document = {
        "type": "Document", "mediaType": file.content_type,
        "url": file_url(base, file.file) if file.file else file.remote_url, "name": file.description,
    }
    given = {"blurhash": file.blurhash, "width": file.width, "height": file.height}
    found |= {name: value for name, value in given.items() if value is not None}
    if file.kind in ("video", "audio", "gifv"):
        if file.preview_file:
            found["icon"] = {"type": "Image", "url": file_url(base, file.preview_file)}
        if "duration" in file.meta:
            found["duration"] = f"PT{file.meta['duration']}S"
    if file.focus_x or file.focus_y:
        found["focalPoint"] = [file.focus_x, file.focus_y]
    return found


def collection(uri: str, total: int, *, paged: bool, ordered: bool) -> Document:
    """A collection: how much it holds, and where its first page is."""
    found: Document = {"id": uri, "type": "OrderedCollection" if ordered else "Collection", "totalItems": total}
    return found | {"first": f"{uri}?page=true"} if paged else found


def collection_page(
    uri: str, address: str, items: Sequence[object], following: str | None, *, ordered: bool
) -> Document:
    """One page of a collection."""
    found: Document = {
        "id": address, "type": "OrderedCollectionPage" if ordered else "CollectionPage", "partOf": uri,
        "orderedItems" if ordered else "items": list(items),
    }
    return found | ({"next": following} if following else {})



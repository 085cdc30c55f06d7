"""Other servers' people and posts, fetched, checked and remembered. Always outside a transaction; then a short one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account, Profile
from parvis.base.db import Tx
from parvis.base.errors import Gone, Invalid, NotFound, Problem, Upstream
from parvis.base.jobs import Job
from parvis.emojis import actions as emojis
from parvis.emojis import policy as drawn
from parvis.emojis.model import Heard
from parvis.federation import jsonld, queries, signatures, vocabulary, wire
from parvis.federation.keys import queries as keys
from parvis.federation.model import ProfileMet
from parvis.federation.vocabulary import Actor, Attachment, Note, Question
from parvis.peers import actions as peers
from parvis.polls import actions as counting
from parvis.polls import queries as polls
from parvis.polls.model import NewPoll, PollEnded
from parvis.quotes.model import Quoting
from parvis.screening import actions as screening
from parvis.statuses import queries as posts
from parvis.statuses.model import Draft, Openness, RemoteMedia, ReplyPolicy, Revision, Status
from parvis.text import html
from parvis.text.mentions import normal_domain, normal_tag

STALE = timedelta(days=7)
STRANGERS = 5
"""How many people unknown here a post may make us ask for."""
ANCESTORS = 5
QUOTES = 2
"""How deep quotes of quotes are followed."""
REQUESTS = 60
"""How many requests one activity or one search may make us send, whatever it points at."""
TAGS = 50
WARNING_LENGTH = 2_000

_HANDLE = re.compile(r"@?(?P<name>[\w.-]+)@(?P<domain>[^\s@/]+)")


class Reading(msgspec.Struct, frozen=True):
    """A post of another server, checked and with everything it points at found: ready to be kept."""

    author: Account
    note: Note
    visibility: vocabulary.Visibility
    parent: Status | None
    mentions: tuple[int, ...]
    silent: tuple[int, ...]
    emojis: tuple[Heard, ...] = ()
    quoting: Quoting | None = None
    openness: Openness = Openness()


async def actor(job: Job, uri: str, fresh: bool = False, in_passing: bool = False) -> Account:
    """The account with this ActivityPub id: the one we know, or what its server says; `fresh` asks it anyway.

    Of who is met `in_passing`, because a post or a profile names them, nothing more is asked.
    """
    uri = uri.partition("#")[0]
    async with job.db.read() as read:
        known, now = await people.by_uri(read, uri), read.now
    if wire.ours(job.settings, uri):
        return _present(known)
    if known and not fresh:
        if _present(known).fetched_at and known.fetched_at and known.fetched_at > now - STALE:
            return known
        try:
            return await _ask(job, uri, known, in_passing)
        except Upstream:
            return known
    return await _ask(job, uri, known, in_passing)


def _present(known: Account | None) -> Account:
    if known is None:
        raise NotFound("account")
    if known.deleted_at:
        raise Gone("account")
    return known


async def _ask(job: Job, uri: str, known: Account | None, in_passing: bool = False) -> Account:
    try:
        found = vocabulary.actor(await wire.document(job, uri))
    except Gone:
        if known:
            async with job.db.write() as tx:
                await accounts.close(tx, known)
        raise
    except Invalid as error:
        raise Upstream(error.word, url=uri, field=error.field) from error
    profile = _profile(found, await _domain(job, found))
    if profile.moved_to and not in_passing:  # where that one has moved to is not asked
        await _stranger(job, profile.moved_to)
    async with job.db.write() as tx:
        await tx.lock(f"account {profile.uri}")
        await peers.seen(tx, jsonld.host(profile.uri))
        await emojis.learn(tx, profile.domain, drawn.learnable(found.emojis, job.settings.dev))
        kept = await accounts.remember(tx, profile)
        await keys.replace(tx, kept.id, found.multikeys)
        if known is None and kept.featured_url and not in_passing:
            await tx.emit(ProfileMet(kept.id))
        return kept


async def _domain(job: Job, found: Actor) -> str:
    """The domain of an actor's handle: what WebFinger says must lead back to this very actor."""
    finger = await wire.finger(job, found.username, jsonld.host(found.id))
    if finger.actor != found.id or finger.username.lower() != found.username.lower():
        raise Upstream("wrong_webfinger", url=found.id)
    if finger.domain == job.settings.domain:
        raise Upstream("wrong_domain", url=found.id)
    return finger.domain


def _profile(found: Actor, domain: str) -> Profile:
    near = jsonld.host(found.id)
    same = {url for url in (found.inbox, found.shared_inbox, found.outbox, found.followers) if url} | {found.id}
    if any(jsonld.host(url) != near for url in same):
        raise Upstream("wrong_host", url=found.id)
    key = found.key.pem if found.key and _usable(found.key.pem) else None
    return Profile(
        uri=found.id, username=found.username, domain=domain, url=found.url or found.id, actor_type=found.type,
        display_name=html.plain_name(found.name), note=html.sanitised(found.summary),
        fields=[
            {"name": html.plain_name(name), "value": html.sanitised(value), "value_text": "", "verified_at": None}
            for name, value in found.fields
        ],
        avatar_url=found.icon, header_url=found.image, locked=found.locked,
        bot=found.type in ("Service", "Application"), discoverable=found.discoverable, indexable=found.indexable,
        show_media=found.shows[0], show_media_replies=found.shows[1], show_featured=found.shows[2],
        attribution_domains=list(found.attribution_domains),
        feature_automatic=["public"] if found.can_feature and vocabulary.PUBLIC in found.can_feature.automatic else [],
        public_key=key, inbox_url=found.inbox, shared_inbox_url=found.shared_inbox, outbox_url=found.outbox,
        followers_url=found.followers, following_url=found.following, featured_url=found.featured,
        also_known_as=list(found.also_known_as), moved_to=found.moved_to, created_at=found.published,
    )


def _usable(pem: str) -> bool:
    try:
        signatures.load_public(pem)
    except signatures.BadSignature:
        return False
    return True


async def status(job: Job, uri: str, depth: int = 0) -> Status:
    """The post with this ActivityPub id: the one we know, or what its server says."""
    async with job.db.read() as read:
        known = await posts.by_uri(read, uri)
        gone = await queries.buried(read, uri)
    if known is not None and known.deleted_at is None:
        return known
    if known is not None or gone:
        raise Gone("status")
    if wire.ours(job.settings, uri):
        raise NotFound("status")
    return await taken(job, await note(job, uri), depth)


async def taken(job: Job, found: Note, depth: int = 0) -> Status:
    """Remember a post that was fetched, and find its author and what it points at."""
    read_note = await reading(job, await actor(job, found.attributed_to), found, depth)
    async with job.db.write() as tx:
        return await keep(tx, read_note)


async def note(job: Job, uri: str) -> Note:
    """What the post's own server says that it is; its author lives on the same server."""
    try:
        found = vocabulary.note(await wire.document(job, uri))
    except Invalid as error:
        raise Upstream(error.word, url=uri, field=error.field) from error
    if jsonld.host(found.attributed_to) != jsonld.host(found.id):
        raise Upstream("wrong_author", url=uri)
    return found


async def reading(job: Job, author: Account, found: Note, depth: int = 0, owner: int | None = None) -> Reading:
    """Find all that a post points at; of someone suspended nothing comes in, whoever brings it.

    `owner` is whose own inbox it came to: they are addressed, named or not.
    """
    if author.suspended_at:
        raise NotFound("status")
    visibility = vocabulary.addressing(found.to, found.cc, author.followers_url, found.direct)
    parent = await _parent(job, author, found, depth)
    mentions, silent = await _addressed(job, found)
    if visibility == "direct" and owner and owner not in mentions:
        silent = (*silent, owner)
    quoting = await _quoting(job, author, found, depth)
    learnt = tuple(drawn.learnable(found.emojis, job.settings.dev))
    return Reading(author, found, visibility, parent, mentions, silent, learnt, quoting, _openness(author, found))


async def _quoting(job: Job, author: Account, found: Note, depth: int) -> Quoting | None:
    """What a post quotes, and whether the quoted author's own server says that they agree."""
    if found.quote is None:
        return None
    try:
        quoted = await status(job, found.quote, depth + 1) if depth < QUOTES else None
    except Problem:
        quoted = None
    async with job.db.read() as read:
        visible = quoted and await posts.seen(read, quoted.id, author.id)
        by = visible and await people.by_id(read, visible.account_id)
        known = await queries.agreed(read, found.id, found.quote)
    if not visible or not by:
        return Quoting(uri=found.quote, quoted=None, legacy=found.quote_legacy)
    given, approval = found.quote_authorization, None
    if given and known == given:
        approval = given
    elif given and not wire.ours(job.settings, given) and by.id != author.id:
        with contextlib.suppress(Upstream):  # who cannot be asked now has not agreed yet
            approval = given if await agreement(job, given, by.uri, found.id, visible.uri) else None
    return Quoting(uri=found.quote, quoted=visible, approval=approval, legacy=found.quote_legacy)


async def agreement(job: Job, uri: str, author: str, quoting: str, quoted: str) -> bool:
    """Does the author of a quoted post say, on their own server, that this very post may quote it?

    Everything is compared: an agreement of somebody else, to another quote, or of another post, is none
    (the class of GHSA-8h43-rcqj-wpc6 and GHSA-q4g8-82c5-9h33). Upstream when their server cannot be asked now.
    """
    if jsonld.host(uri) != jsonld.host(author):
        return False
    try:
        found = vocabulary.authorization(await wire.document(job, uri))
    except Problem as error:
        if error.word in wire.PASSING:
            raise
        return False
    return (found.id, found.attributed_to, found.quoting, found.quoted) == (uri, author, quoting, quoted)


def _openness(author: Account, found: Note) -> Openness:
    """Who may quote and answer, in our words. Who says nothing of quotes has not agreed to any."""
    quote, reply = found.can_quote, found.can_reply
    return Openness(
        quote_automatic=_circles(author, quote.automatic) if quote else (),
        quote_manual=_circles(author, quote.manual) if quote else (),
        reply_policy=_reply_policy(_circles(author, (*reply.automatic, *reply.manual))) if reply else "public",
    )


def _circles(author: Account, addresses: Iterable[str]) -> tuple[str, ...]:
    words = {vocabulary.PUBLIC: "public", author.followers_url: "followers", author.following_url: "following"}
    others = [words.get(one, "unsupported_policy") for one in addresses if one != author.uri]
    return tuple(dict.fromkeys(others))


def _reply_policy(circles: Iterable[str]) -> ReplyPolicy:
    """A circle that we cannot look into is left to the author's own server."""
    found = set(circles)
    if found & {"public", "following", "unsupported_policy"}:
        return "public"
    return "followers" if "followers" in found else "nobody"


async def _parent(job: Job, author: Account, found: Note, depth: int) -> Status | None:
    if found.in_reply_to is None:
        return None
    try:
        parent = await status(job, found.in_reply_to, depth + 1) if depth < ANCESTORS else None
    except Problem:
        return None
    if parent is None:
        return None
    async with job.db.read() as read:
        return await posts.seen(read, parent.id, author.id)


async def _addressed(job: Job, found: Note) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Those named, and those only addressed. Who is named without being addressed is not told, and sees nothing."""
    addressed = dict.fromkeys([*found.to, *found.cc])
    named: list[int] = []
    silent: list[int] = []
    strangers = 0
    for uri in list(addressed)[:100]:
        async with job.db.read() as read:
            known = await people.by_uri(read, uri)
        if known is None and uri in found.mentions and not wire.ours(job.settings, uri) and strangers < STRANGERS:
            strangers += 1
            known = await _stranger(job, uri)
        if known is not None and not known.deleted_at:
            (named if uri in found.mentions else silent).append(known.id)
    return tuple(named), tuple(silent)


async def _stranger(job: Job, uri: str) -> Account | None:
    try:
        return await actor(job, uri, in_passing=True)
    except Problem:
        return None


async def keep(tx: Tx, read_note: Reading) -> Status:
    """Remember a post of another server."""
    found, parent = read_note.note, read_note.parent
    if not await queries.hold(tx, found.id):
        raise Gone("status")
    draft = Draft(
        content=_content(found), visibility=read_note.visibility, spoiler_text=_warning(found),
        sensitive=found.sensitive, language=found.language, in_reply_to_id=parent.id if parent else None,
        in_reply_to_uri=found.in_reply_to, uri=found.id, url=found.url or found.id,
        created_at=_past(found.published, tx.now), mentions=read_note.mentions, silent=read_note.silent,
        tags=_tags(found.hashtags), remote_media=_files(found.attachments), openness=read_note.openness,
        poll=asked(found.question, tx.now),
    )
    await emojis.learn(tx, read_note.author.domain, read_note.emojis)
    return await screening.arrive(tx, read_note.author, draft, read_note.quoting)


def revision(read_note: Reading, now: datetime) -> Revision:
    """What a post of another server says now."""
    found = read_note.note
    return Revision(
        content=_content(found), spoiler_text=_warning(found), sensitive=found.sensitive, language=found.language,
        mentions=read_note.mentions, tags=_tags(found.hashtags), remote_media=_files(found.attachments),
        edited_at=_past(found.updated, now), poll=asked(found.question, now),
    )


def asked(question: Question | None, now: datetime) -> NewPoll | None:
    """The poll of another server, with what it has counted. What is closed without a date is closed now."""
    if question is None:
        return None
    ends = now if question.closed and (question.ends is None or question.ends > now) else question.ends
    return NewPoll(
        options=question.options, multiple=question.multiple, expires_at=ends, votes=question.votes,
        voters=question.voters,
    )


async def poll(job: Job, status_id: int) -> None:
    """Ask the server of a poll how it stands, at most once a minute; when it does not say, nothing changes."""
    async with job.db.write() as tx:
        status, known = await posts.by_id(tx, status_id), await polls.of_status(tx, status_id)
        if status is None or status.deleted_at or known is None or known.local or not await polls.asked(tx, known.id):
            return
    try:
        found = await note(job, status.uri)
    except Problem:
        return
    async with job.db.write() as tx:
        counted = asked(found.question, tx.now)
        if counted is not None and found.id == status.uri:
            await counting.recount(tx, status_id, counted)


async def poll_ended(job: Job, event: PollEnded) -> None:
    """How a poll of another server has come out, where somebody here has voted."""
    async with job.db.read() as read:
        voted = await polls.voted_here(read, event.poll)
    if voted:
        await poll(job, event.status)


def _past(when: datetime | None, now: datetime) -> datetime | None:
    """Nothing comes from the future, whatever another server's clock says."""
    return None if when is None else min(when, now)


def _content(found: Note) -> str:
    """The HTML that may be shown; what has a title shows it, and where the whole of it is."""
    if not found.title:
        return html.sanitised(found.content)
    title = html.html(found.title, {}, lambda tag: found.id)
    link = html.html(found.url or found.id, {}, lambda tag: found.id)
    return title + html.sanitised(found.content) + link


def _warning(found: Note) -> str:
    return html.plain(found.summary)[:WARNING_LENGTH]


def _tags(names: Iterable[str]) -> tuple[str, ...]:
    shown = {normal_tag(name): name for name in names if name and len(name) <= 200}
    return tuple(shown.values())[:TAGS]


def _files(attachments: Iterable[Attachment]) -> tuple[RemoteMedia, ...]:
    return tuple(
        RemoteMedia(
            url=one.url, content_type=one.media_type, description=one.description, blurhash=one.blurhash,
            preview_url=one.preview,
            width=one.width, height=one.height, focus_x=one.focus[0], focus_y=one.focus[1],
        )
        for one in attachments
    )


async def resolve(job: Job, text: str) -> Account | Status | None:
    """What somebody looks for by its handle (name@domain[:port]) or its address; None when there is no such thing.

    Whether the person who looks may see a post that is found is for the caller to ask.
    """
    wanted, job = text.strip(), job.rationed(REQUESTS)
    try:
        if jsonld.host(wanted):
            return await _at(job, wanted)
        match = _HANDLE.fullmatch(wanted)
        domain = match and normal_domain(match["domain"])
        return await by_handle(job, match["name"], domain) if match and domain else None
    except Problem:
        return None


async def by_handle(job: Job, username: str, domain: str) -> Account:
    """The account with a handle: known already, or found by WebFinger."""
    here = domain == job.settings.domain
    async with job.db.read() as read:
        known = await people.by_handle(read, username, None if here else domain)
    if here or (known and not known.deleted_at):
        return _present(known)
    finger = await wire.finger(job, username, domain)
    return await actor(job, finger.actor)


async def _at(job: Job, url: str) -> Account | Status:
    async with job.db.read() as read:
        person = await people.by_uri(read, url)
        post = await posts.by_uri(read, url) or await posts.by_url(read, url)
    if post is not None and not post.deleted_at:
        return post
    if person is not None:
        return await actor(job, url)
    if wire.ours(job.settings, url):
        return await _ours(job, url)
    found = await wire.document(job, url)
    identity = jsonld.reference(found.get("id")) or url
    if jsonld.kind(found) in vocabulary.ACTOR_TYPES:
        return await actor(job, identity)
    return await status(job, identity)


async def _ours(job: Job, url: str) -> Account:
    """Someone of this city by the address of their page."""
    name = url.partition("/@")[2]
    async with job.db.read() as read:
        return _present(await people.by_handle(read, name, None) if name else None)

"""Activities as documents: what is done, with what it is done to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parvis.accounts.model import Account
from parvis.base.clock import mastodon_time
from parvis.federation.documents import addresses, check_leaving
from parvis.federation.jsonld import Document
from parvis.polls.model import Cast
from parvis.statuses.model import Status


def quote_request(note: Document, by: Account, quoted: str, uri: str) -> Document:
    """Somebody asks whether they may quote; the quote itself comes along, since it may not be for everybody."""
    return {"id": uri, "type": "QuoteRequest", "actor": by.uri, "object": quoted, "instrument": note}


def quote_answer(kind: str, author: Account, asked: Document, mark: str, result: str | None) -> Document:
    """The quoted author's answer, with the address of their agreement."""
    return answer(kind, author, asked, mark) | ({"result": result} if result else {})


def quote_revocation(author: Account, agreement: Document, to: Sequence[str]) -> Document:
    """The quoted author agrees no more."""
    return {
        "id": f"{agreement['id']}#delete", "type": "Delete", "actor": author.uri, "to": list(to), "object": agreement
    }


def vote(by: Account, cast: Cast, question: str, author: str) -> Document:
    """Somebody chose an answer: a note with its words as name, which only the one who asked is told."""
    identity = f"{by.uri}#votes/{cast.id}"
    return {
        "id": f"{identity}/activity", "type": "Create", "actor": by.uri, "to": [author],
        "object": {
            "id": identity, "type": "Note", "name": cast.title, "attributedTo": by.uri, "inReplyTo": question,
            "to": [author],
        },
    }


def tombstone(uri: str) -> Document:
    """What is left of a deleted post."""
    return {"id": uri, "type": "Tombstone"}


def create(document: Document) -> Document:
    """A post is published."""
    return {
        "id": f"{document['id']}/activity", "type": "Create", "actor": document["attributedTo"],
        "published": document["published"], "to": document["to"], "cc": document["cc"], "object": document,
    }


def update(document: Document, owner: str, mark: object, to: Sequence[str], cc: Sequence[str] = ()) -> Document:
    """A post or a profile says something else now; `mark` tells this edit from the others."""
    return {
        "id": f"{document['id']}#updates/{mark}", "type": "Update", "actor": owner, "to": list(to), "cc": list(cc),
        "object": document,
    }


def delete(owner: str, uri: str, to: Sequence[str], cc: Sequence[str] = ()) -> Document:
    """A post is gone; or its owner, when they delete themselves."""
    gone: object = uri if uri == owner else tombstone(uri)
    return {"id": f"{uri}#delete", "type": "Delete", "actor": owner, "to": list(to), "cc": list(cc), "object": gone}


def announce(wrapper: Status, by: Account, original: Status, author: Account) -> Document:
    """A post is passed on."""
    check_leaving(original)
    to, cc = addresses(wrapper, by, [author])
    return {
        "id": wrapper.uri, "type": "Announce", "actor": by.uri, "published": mastodon_time(wrapper.created_at),
        "to": to, "cc": cc, "object": original.uri,
    }


def like(by: Account, favourite: int, original: str) -> Document:
    """A post is somebody's favourite."""
    return {"id": f"{by.uri}#likes/{favourite}", "type": "Like", "actor": by.uri, "object": original}


def follow(by: str, follow_uri: str | None, target: str) -> Document:
    """Somebody wants to follow."""
    found = {"id": follow_uri} if follow_uri else {}
    return {**found, "type": "Follow", "actor": by, "object": target}


def follow_uri(by: Account, follow_id: int) -> str:
    """The id of a Follow of ours."""
    return f"{by.uri}#follows/{follow_id}"


def answer(kind: str, by: Account, asked: Document, mark: str) -> Document:
    """Accept or Reject a Follow."""
    identity = f"{by.uri}#{kind.lower()}s/{mark}"
    return {"id": identity, "type": kind, "actor": by.uri, "to": [asked["actor"]], "object": asked}


def block(by: Account, block_id: int, target: str) -> Document:
    """Somebody wants nothing to do with another."""
    return {"id": f"{by.uri}#blocks/{block_id}", "type": "Block", "actor": by.uri, "to": [target], "object": target}


def move(by: Account, move_id: int, target: str) -> Document:
    """Somebody is another account from now on."""
    address = {"to": [f"{by.uri}/followers"], "object": by.uri, "target": target}
    return {"id": f"{by.uri}#moves/{move_id}", "type": "Move", "actor": by.uri, **address}


def undo(document: Document, to: Sequence[str], cc: Sequence[str] = ()) -> Document:
    """An activity is taken back."""
    return {
        "id": f"{document['id']}#undo", "type": "Undo", "actor": document["actor"], "to": list(to), "cc": list(cc),
        "object": document,
    }


def mark(moment: datetime) -> int:
    """A moment as part of an id."""
    return round(moment.timestamp() * 1000)

"""The keys that this city signs with beside the older RSA ones, and the keys that others' signatures name."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parvis.accounts.model import Account
from parvis.base import seal
from parvis.base.db import Db, Read, Tx
from parvis.base.seal import Seal
from parvis.base.settings import Settings
from parvis.federation import documents, integrity, multikeys, wire
from parvis.federation.jsonld import Document
from parvis.federation.keys import queries as keys
from parvis.federation.keys.queries import Own
from parvis.federation.proofs import Proof
from parvis.federation.vocabulary import PUBLIC, normal


async def own(tx: Tx, settings: Settings, account: Account) -> Own:
    """The key of somebody here, made when it is first needed."""
    known = await keys.own(tx, account.id)
    if known is None:
        private, closed = Ed25519PrivateKey.generate(), Seal(settings.secrets)
        new = Own(multikeys.written(private.public_key()), closed.close(private.private_bytes_raw()))
        known = await keys.add_own(tx, account.id, multikeys.name(account.uri), new)
    if known is None:
        raise LookupError("a key that was just kept is there")
    return known


async def introduced(db: Db, settings: Settings, account: Account) -> Document:
    """What the document of somebody here says of their key, when they had none before."""
    async with db.write() as tx:
        made = await own(tx, settings, account)
    return multikeys.shown(account.uri, made.public_key)


def of_city(settings: Settings) -> Document:
    """What the document of the city's own actor says of its key, which is kept beside the RSA one."""
    raw = seal.kept(settings.secrets, "instance-ed25519.key", lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    public = multikeys.written(Ed25519PrivateKey.from_private_bytes(raw).public_key())
    return multikeys.shown(wire.instance_uri(settings.base), public)


async def proved(tx: Tx, settings: Settings, by: Account, document: Document) -> Document:
    """What somebody here says to everybody, with their proof in it.

    What is for some is left without: nobody shall be able to show around that they said it.
    """
    if PUBLIC not in normal((*document["to"], *document["cc"])):
        return document
    key = await own(tx, settings, by)
    private = Ed25519PrivateKey.from_private_bytes(Seal(settings.secrets).open(key.private_key_sealed))
    context = documents.in_context(document | {"proof": {}})["@context"]
    return integrity.made({"@context": context} | document, private, multikeys.name(by.uri), tx.now)


async def named(r: Read, account: Account, proof: Proof) -> str:
    """The key of an account that a request's signature names: an Ed25519 key, or else the RSA key; empty if none."""
    found = await keys.public(r, account.id, proof.key_id) if proof.may_be_ed25519 else None
    return found or account.public_key or ""


async def at_door(db: Db, account: Account, proof: Proof) -> str:
    """The same; where it can only be the RSA key, which comes with the account, nothing is looked up."""
    if not proof.may_be_ed25519:
        return account.public_key or ""
    async with db.read() as read:
        return await named(read, account, proof)

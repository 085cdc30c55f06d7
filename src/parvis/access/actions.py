"""Settling here, signing in, and letting apps act."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from parvis.access import policy, queries
from parvis.access.model import (
    AddressConfirmed,
    AddressWished,
    Application,
    ApplicationDeleted,
    Approved,
    Door,
    IpBlockDraft,
    LoginDisabled,
    PasswordChanged,
    PasswordForgotten,
    PreparedSignUp,
    Registration,
    SignedIn,
    SignedUp,
    SignUp,
    TokenRevoked,
    User,
)
from parvis.accounts import actions as accounts
from parvis.accounts import policy as naming
from parvis.accounts.model import Account, NewAccount
from parvis.base.db import Read, Tx
from parvis.base.errors import Forbidden, Invalid, NotFound, Unauthenticated
from parvis.base.ids import parsed
from parvis.base.jobs import Job
from parvis.base.seal import Seal, kept
from parvis.base.settings import Settings

CONFIRMATION_DAYS = 7
PASS_SECONDS = 3600
YEARS = 10 * 366 * 86400
SEVERITIES = ("sign_up_requires_approval", "sign_up_block", "no_access")


def fingerprint(token: str) -> bytes:
    """How a token is kept: nobody who reads the database can use it."""
    return hashlib.sha256(token.encode()).digest()


def fresh() -> str:
    """A token nobody can guess."""
    return secrets.token_urlsafe(32)


def hasher(settings: Settings) -> PasswordHasher:
    """Argon2id as RFC 9106 advises for little memory; cheap in a --dev city, whose people are not real."""
    return PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1) if settings.dev else PasswordHasher(3, 65536, 4)


def _key_pair() -> tuple[bytes, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public.decode()


async def prepare(settings: Settings, wish: SignUp) -> PreparedSignUp:
    """The slow parts of a sign-up, in a thread and outside any transaction; wrong values are refused first."""
    naming.username(wish.username)
    policy.email(wish.email)
    policy.password(wish.password)
    password_hash = await asyncio.to_thread(hasher(settings).hash, wish.password)
    private, public = await asyncio.to_thread(_key_pair)
    return PreparedSignUp(wish, password_hash, public, Seal(settings.secrets).close(private))


async def sign_up(
    tx: Tx, prepared: PreparedSignUp, settings: Settings, application_id: int | None = None, confirmed: bool = False,
    approved: bool = True,
) -> Account:
    """Settle here. Invalid when the name or the address is taken. Whoever is not approved waits for a moderator."""
    wish = prepared.wish
    new = NewAccount(
        wish.username, wish.display_name, prepared.public_key, prepared.private_key_sealed, prepared.invited_by_id
    )
    account = await accounts.create(tx, new, settings.base)
    if not await queries.add_user(tx, account.id, wish, prepared.password_hash, application_id):
        raise Invalid("email", "ERR_TAKEN")
    if not approved:
        await queries.hold(tx, account.id)
    if confirmed:
        await queries.confirm(tx, account.id)
    else:
        await tx.emit(SignedUp(account.id))
    return account


async def write_again(tx: Tx, account_id: int, application_id: int | None, email: str | None) -> None:
    """Send the letter of confirmation again; until it is confirmed, an address that was mistyped may be another.

    Forbidden for any app but the one with which the person settled here, and once the address is confirmed.
    """
    user = await queries.user(tx, account_id)
    maker = await queries.maker(tx, account_id)
    if user is None or user.confirmed_at is not None or maker is None or maker != application_id:
        raise Forbidden("confirmed_or_foreign")
    if email and email != user.email and not await queries.change_email(tx, account_id, policy.email(email)):
        raise Invalid("email", "ERR_TAKEN")
    await tx.emit(SignedUp(account_id))


async def knock(tx: Tx, wish: SignUp) -> Door:
    """What stands against a wish to settle. A try with an e-mail provider that is kept out is counted."""
    blocked = await queries.email_domain_block_of(tx, policy.email_domains(wish.email))
    if blocked is not None:
        await queries.count_try(tx, blocked)
    address = None if wish.address is None else policy.place(wish.address)
    severity = None if address is None else await queries.ip_severity(tx, address)
    known = blocked is not None or await queries.is_canonical_blocked(tx, policy.canonical_hash(wish.email))
    return Door(known, severity)


async def may_enter(r: Read, address: str) -> None:
    """Forbidden to whoever comes from where nobody may sign in."""
    found = policy.place(address)
    if found is not None and await queries.ip_severity(r, found) == "no_access":
        raise Forbidden("login_disabled")


async def approve(tx: Tx, account_id: int) -> None:
    """Let somebody in who waits. Doing it twice is the same as once."""
    if await queries.approve(tx, account_id):
        await tx.emit(Approved(account_id))


async def reject(tx: Tx, account: Account) -> None:
    """Refuse somebody who waits: nothing of theirs is kept but the name. Forbidden for who has been let in."""
    if not await queries.drop_pending(tx, account.id):
        raise Forbidden("not_pending")
    await accounts.close(tx, account)


async def block_ip(tx: Tx, by: Account, draft: IpBlockDraft, block_id: int | None = None) -> int:
    """Keep a range of addresses out, for a time or until it is taken back; or change such a block."""
    if draft.severity not in SEVERITIES:
        raise Invalid("severity", "invalid")
    if draft.expires_in is not None and not 0 < draft.expires_in <= YEARS:
        raise Invalid("expires_in", "invalid")
    ends = None if draft.expires_in is None else tx.now + timedelta(seconds=draft.expires_in)
    values = (policy.network(draft.ip), draft.severity, policy.protection(draft.comment))
    try:
        if block_id is None:
            return await queries.add_ip_block(tx, by.id, *values, ends)
        if not await queries.change_ip_block(tx, block_id, by.id, values, ends):
            raise NotFound("ip_block")
    except asyncpg.UniqueViolationError as error:
        raise Invalid("ip", "ERR_TAKEN") from error
    return block_id


async def block_email_domain(tx: Tx, by: Account, domain: str, comment: str) -> int:
    """Take no addresses of a provider at sign-up. Who is here stays."""
    why = policy.protection(comment)
    made = await queries.add_email_domain_block(tx, by.id, domain, why)
    if made is None:
        raise Invalid("domain", "ERR_TAKEN")
    return made


async def block_email(tx: Tx, by: Account, hashed: str, comment: str) -> int:
    """Take one address no more, however it is written."""
    why = policy.protection(comment)
    made = await queries.add_email_block(tx, by.id, hashed, why)
    if made is None:
        raise Invalid("canonical_email_hash", "ERR_TAKEN")
    return made


async def sweep(job: Job) -> bool:
    """Take away what kept addresses out until now."""
    async with job.db.write() as tx:
        return bool(await queries.drop_due_ip_blocks(tx))


async def forget_old(job: Job) -> None:
    """Drop codes that were not traded in time, and browsers that were signed in for their thirty days."""
    async with job.db.write() as tx:
        await queries.forget_old(tx)


async def proved(found: User | None, password: str, argon: PasswordHasher) -> User:
    """Whoever was found by name or address, if this is their password; slow, so outside of any read.

    The same error, after the same work, whether there is nobody or the password is wrong.
    """
    if found is None:
        await asyncio.to_thread(argon.hash, password)
        raise Unauthenticated("wrong_credentials")
    try:
        await asyncio.to_thread(argon.verify, found.password_hash, password)
    except (VerificationError, InvalidHashError) as error:
        raise Unauthenticated("wrong_credentials") from error
    policy.may_sign_in(found.disabled_at is not None, suspended=False)
    if found.approved_at is None:
        raise Forbidden("pending")
    return found


async def open_session(tx: Tx, user: User, user_agent: str = "") -> str:
    """Sign a browser in; the token for its cookie."""
    token = fresh()
    await queries.add_session(tx, fingerprint(token), user.account_id, fresh(), user_agent[:300])
    await tx.emit(SignedIn(user.account_id))
    return token


async def register_application(
    tx: Tx, name: str, website: str | None, uris: Sequence[str], scopes: str | Sequence[str] | None
) -> Registration:
    """Make an app known. Anyone may."""
    if not name.strip():
        raise Invalid("client_name", "blank")
    if len(name) > 60 or len(website or "") > 2000:
        raise Invalid("client_name", "too_long", limit=60)
    secret, client_id = fresh(), fresh()
    wanted, places = policy.scopes(scopes), policy.redirect_uris(uris)
    shown = (name.strip(), policy.website(website))
    made = await queries.add_application(tx, client_id, fingerprint(secret), shown, places, wanted)
    return Registration(
        Application(made, client_id, fingerprint(secret), *shown, places, wanted), secret
    )


async def client(r: Read, client_id: str | None, secret: str | None) -> Application:
    """The app that shows this id and secret (RFC 6749 §2.3.1)."""
    found = await queries.application(r, client_id or "")
    if found is None or not hmac.compare_digest(found.client_secret_hash, fingerprint(secret or "")):
        raise Unauthenticated("invalid_client")
    return found


async def authorize(
    tx: Tx, user: User, app: Application, redirect_uri: str, scopes: Sequence[str], challenge: str | None
) -> str:
    """Let an app act for a person; the code it will trade for a token."""
    code = fresh()
    await queries.add_code(tx, fingerprint(code), app.id, user.account_id, redirect_uri, (list(scopes), challenge))
    return code


async def redeem(
    tx: Tx, app: Application, code: str, redirect_uri: str, verifier: str | None
) -> tuple[str, datetime, list[str]]:
    """Trade a code for a token (RFC 6749 §4.1.3). A code works once, for its app, address and verifier."""
    found = await queries.use_code(tx, fingerprint(code))
    if found is None or found.application_id != app.id or found.redirect_uri != redirect_uri:
        raise Invalid("code", "invalid_grant")
    policy.may_redeem(found.challenge, verifier)
    token = fresh()
    made = await queries.add_token(tx, fingerprint(token), app.id, found.account_id, found.scopes)
    await tx.emit(SignedIn(found.account_id))
    return token, made, found.scopes


async def app_token(tx: Tx, app: Application, scopes: str | None) -> tuple[str, datetime, list[str]]:
    """A token for the app itself (RFC 6749 §4.4)."""
    token, wanted = fresh(), policy.scopes(scopes, app.scopes)
    made = await queries.add_token(tx, fingerprint(token), app.id, None, wanted)
    return token, made, wanted


async def issue(
    tx: Tx, account_id: int, scopes: Sequence[str], application_id: int | None, token: str | None = None
) -> tuple[str, datetime]:
    """A token for a person, given without the authorize page: at sign-up, and on the command line."""
    value = token or fresh()
    made = await queries.add_token(tx, fingerprint(value), application_id, account_id, scopes)
    return value, made


async def revoke(tx: Tx, app: Application, token: str) -> None:
    """End a token. One that is another app's is refused; one that is gone is as good as ended (RFC 7009)."""
    owner = await queries.token_owner(tx, fingerprint(token))
    if owner is not None and owner != app.id:
        raise Forbidden("unauthorized_client")
    ended = await queries.revoke(tx, fingerprint(token), app.id)
    if ended is not None:
        await tx.emit(TokenRevoked(ended.token_id, ended.account_id))


async def change_password(tx: Tx, account_id: int, password_hash: str) -> None:
    """Give somebody another password, hashed before; they sign in anew everywhere."""
    if not await queries.change_password(tx, account_id, password_hash):
        raise NotFound("account")
    await tx.emit(PasswordChanged(account_id))


async def disable(tx: Tx, account_id: int) -> None:
    """Let somebody sign in no more. Doing it twice is the same as once."""
    if await queries.disable(tx, account_id):
        await tx.emit(LoginDisabled(account_id))


async def delete_application(tx: Tx, application_id: int) -> None:
    """Take an app away, with every token it was given. Doing it twice is the same as once."""
    if await queries.drop_application(tx, application_id):
        await tx.emit(ApplicationDeleted(application_id))


def _signature(secrets_folder: Path, body: bytes) -> bytes:
    return hmac.new(kept(secrets_folder, "confirm.key", lambda: secrets.token_bytes(32)), body, hashlib.sha256).digest()


def confirmation_token(settings: Settings, user: User, now: datetime) -> str:
    """What the confirmation letter carries: account, deadline and a signature over them and the address."""
    body = f"{user.account_id}.{int(now.timestamp()) + CONFIRMATION_DAYS * 86400}".encode()
    signed = _signature(settings.secrets, body + user.email.lower().encode())
    return urlsafe_b64encode(body + b"." + signed).decode()


async def confirm(tx: Tx, settings: Settings, token: str) -> bool:
    """Confirm an address by its letter. False when it was confirmed before; Invalid when the token is none."""
    try:
        account_text, due_text, signed = urlsafe_b64decode(token.encode()).split(b".", 2)
        account_id, due = parsed(account_text.decode()), int(due_text)
    except ValueError as error:
        raise Invalid("token", "invalid") from error
    user = None if account_id is None else await queries.user(tx, account_id)
    body = f"{account_id}.{due}".encode()
    good = user and hmac.compare_digest(signed, _signature(settings.secrets, body + user.email.lower().encode()))
    if user is None or not good or due < tx.now.timestamp():
        raise Invalid("token", "invalid")
    first = await queries.confirm(tx, user.account_id)
    if first:
        await tx.emit(AddressConfirmed(user.account_id))
    return first


def _bound(user: User) -> bytes:
    """What a pass is worth nothing without: once the address or the password is another, the link is used up."""
    return f"{user.email.lower()} {user.password_hash}".encode()


def pass_for(settings: Settings, purpose: str, user: User, now: datetime, extra: str = "") -> str:
    """What a letter's link carries for one purpose: good for an hour, and once."""
    body = f"{purpose} {user.account_id} {int(now.timestamp()) + PASS_SECONDS} {extra}".encode()
    return urlsafe_b64encode(body + b"\n" + _signature(settings.secrets, body + _bound(user))).decode()


async def holder(r: Read, settings: Settings, purpose: str, token: str) -> tuple[User, str]:
    """Whom a letter's link was sent to, and what it says beside. Invalid when it is old, used, or none of ours."""
    try:
        body, _, signed = urlsafe_b64decode(token.encode()).partition(b"\n")
        given, account_text, due_text, extra = body.decode().split(" ", 3)
        account_id, due = parsed(account_text), int(due_text)
    except ValueError as error:
        raise Invalid("token", "invalid") from error
    user = None if account_id is None or given != purpose else await queries.user(r, account_id)
    good = user and hmac.compare_digest(signed, _signature(settings.secrets, body + _bound(user)))
    if user is None or not good or due < r.now.timestamp():
        raise Invalid("token", "invalid")
    return user, extra


async def forgot(tx: Tx, login: str) -> None:
    """Send a link to whoever this is; nobody learns whether there is such a person."""
    user = await queries.user_by_login(tx, login)
    if user is not None and user.disabled_at is None:
        await tx.emit(PasswordForgotten(user.account_id))


async def reset_password(tx: Tx, settings: Settings, token: str, password_hash: str) -> None:
    """Another password by a letter's link; whoever reads that letter has shown that the address is theirs."""
    user, _ = await holder(tx, settings, "password", token)
    await change_password(tx, user.account_id, password_hash)
    if await queries.confirm(tx, user.account_id):
        await tx.emit(AddressConfirmed(user.account_id))


async def wish_address(tx: Tx, account_id: int, email: str) -> None:
    """Ask for another address: it counts once the letter sent there is answered."""
    await tx.emit(AddressWished(account_id, policy.email(email)))


async def change_address(tx: Tx, settings: Settings, token: str) -> None:
    """The letter was answered: from now on letters go there. Invalid when somebody else has that address."""
    user, email = await holder(tx, settings, "address", token)
    if not await queries.change_email(tx, user.account_id, policy.email(email)):
        raise Invalid("email", "ERR_TAKEN")


async def revoke_application(tx: Tx, account_id: int, application_id: int) -> None:
    """Let an app act for oneself no more: what it has open ends at once."""
    for one in await queries.revoke_application(tx, account_id, application_id):
        await tx.emit(TokenRevoked(one.token_id, one.account_id))

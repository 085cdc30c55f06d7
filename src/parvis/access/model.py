"""Who is acting, and with whose leave."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

Role = Literal["resident", "moderator"]


class Application(msgspec.Struct, frozen=True):
    """An app that somebody made for Mastodon."""

    id: int
    client_id: str
    client_secret_hash: bytes
    name: str
    website: str | None
    redirect_uris: list[str]
    scopes: list[str]


class Registration(msgspec.Struct, frozen=True):
    """A freshly registered app, and its secret, which is shown once."""

    application: Application
    secret: str


class User(msgspec.Struct, frozen=True):
    """Someone who can sign in here."""

    account_id: int
    email: str
    password_hash: str
    confirmed_at: datetime | None
    locale: str
    role: Role
    disabled_at: datetime | None
    default_privacy: str
    default_sensitive: bool
    default_language: str | None
    default_quote_policy: str
    created_at: datetime
    approved_at: datetime | None


class Bearer(msgspec.Struct, frozen=True):
    """What a token stands for."""

    token_id: int
    application_id: int | None
    account_id: int | None
    scopes: list[str]
    username: str | None
    account_uri: str | None
    suspended: bool
    confirmed: bool
    disabled: bool
    role: Role | None
    locale: str | None
    approved: bool
    token_hash: bytes


class Code(msgspec.Struct, frozen=True):
    """An authorization code that is being traded for a token."""

    application_id: int
    account_id: int
    redirect_uri: str
    scopes: list[str]
    challenge: str | None
    due_at: datetime


class Session(msgspec.Struct, frozen=True):
    """A signed-in browser."""

    account_id: int
    csrf: str
    confirmed: bool
    role: Role
    suspended: bool


class Browser(msgspec.Struct, frozen=True):
    """A browser somebody is signed in with."""

    id: int
    token_hash: bytes
    user_agent: str
    created_at: datetime


class Authorised(msgspec.Struct, frozen=True):
    """An app that may act for somebody, and since when."""

    application_id: int
    name: str
    website: str | None
    scopes: list[str]
    since: datetime


class SignUp(msgspec.Struct, frozen=True):
    """What somebody gives to settle here."""

    username: str
    email: str
    password: str
    locale: str = "fr"
    agreement: bool = False
    display_name: str = ""
    reason: str = ""
    address: str | None = None
    """Where the wish came from; None for the operator's own hand."""
    invite_code: str = ""


class Door(msgspec.Struct, frozen=True):
    """What stands against a sign-up, of its e-mail address and of where it comes from; and whether one was asked in."""

    email: bool
    address: str | None
    invited: bool = False


class IpBlock(msgspec.Struct, frozen=True):
    """Addresses that may not come in, or not without a moderator."""

    id: int
    ip: str
    severity: str
    comment: str
    created_at: datetime
    expires_at: datetime | None


class IpBlockDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator keeps out, and why."""

    ip: str
    severity: str
    comment: str
    expires_in: int | None = None


class EmailDomainBlock(msgspec.Struct, frozen=True):
    """A provider of e-mail addresses that are not taken at sign-up."""

    id: int
    domain: str
    comment: str
    created_at: datetime


class Tried(msgspec.Struct, frozen=True):
    """How many sign-ups a block refused on a day."""

    block_id: int
    day: date
    tries: int


class EmailBlock(msgspec.Struct, frozen=True):
    """One e-mail address that is not taken, however it is written; the address itself is not kept."""

    id: int
    canonical_email_hash: str
    comment: str


class PreparedSignUp(msgspec.Struct, frozen=True):
    """A sign-up whose slow parts are done: the password is hashed, the key pair made."""

    wish: SignUp
    password_hash: str
    public_key: str
    private_key_sealed: bytes
    invited_by_id: int | None = None


class SignedUp(msgspec.Struct, frozen=True):
    """Somebody settled here and must confirm their address."""

    account: int


class AddressConfirmed(msgspec.Struct, frozen=True):
    """Somebody confirmed the address they signed up with: now they live here."""

    account: int


class Approved(msgspec.Struct, frozen=True):
    """A moderator let somebody in who waited for it."""

    account: int


class Revoked(msgspec.Struct, frozen=True):
    """A token that has ended, and whose it was."""

    token_id: int
    account_id: int | None


class TokenRevoked(msgspec.Struct, frozen=True):
    """A token has ended: what was opened with it must end too. An app's own token has no account."""

    token: int
    account: int | None


class ApplicationDeleted(msgspec.Struct, frozen=True):
    """An app is gone, and every token it had."""

    application: int


class PasswordChanged(msgspec.Struct, frozen=True):
    """Someone has another password; browsers and apps that came in with the old one are out."""

    account: int


class SignedIn(msgspec.Struct, frozen=True):
    """Somebody signed in: with a browser here, or with an app."""

    account: int


class LoginDisabled(msgspec.Struct, frozen=True):
    """Someone may not sign in for the time being."""

    account: int


class PasswordForgotten(msgspec.Struct, frozen=True):
    """Somebody asks for a link with which they can choose another password."""

    account: int


class AddressWished(msgspec.Struct, frozen=True):
    """Somebody wants their letters elsewhere, and must show that they read them there."""

    account: int
    email: str

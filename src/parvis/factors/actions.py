"""Signing in with more than a password, or without one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
import pyotp
import webauthn
from webauthn.helpers import base64url_to_bytes, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from parvis.access.actions import fingerprint, fresh
from parvis.accounts.model import Account
from parvis.base.db import Tx
from parvis.base.errors import Forbidden, Invalid
from parvis.base.jobs import Job
from parvis.base.seal import Seal, kept
from parvis.base.settings import Settings
from parvis.factors import policy, queries
from parvis.factors.model import Credential, Said

RECOVERY_CODES = 10


async def new_totp(tx: Tx, settings: Settings, account_id: int) -> None:
    """Make a secret to be shared with an app; nothing is asked for until it was proved. Forbidden while one stands."""
    known = await queries.factor(tx, account_id)
    if known is not None and known.proved_at is not None:
        raise Forbidden("second_factor_stands")
    await queries.put_totp(tx, account_id, Seal(settings.secrets).close(pyotp.random_base32().encode()))


def totp_secret(settings: Settings, sealed: bytes) -> str:
    """The secret in letters, as an app takes it."""
    return Seal(settings.secrets).open(sealed).decode()


async def _take(tx: Tx, settings: Settings, account_id: int, code: str) -> bool:
    known = await queries.factor(tx, account_id)
    if known is None:
        return False
    step = policy.step(totp_secret(settings, known.sealed), policy.plain(code), int(tx.now.timestamp()))
    return step is not None and await queries.use_step(tx, account_id, step)


async def prove_totp(tx: Tx, settings: Settings, account_id: int, code: str) -> list[str]:
    """The app shows the right code: from now on one is asked for. The recovery codes, which are shown once."""
    if not await _take(tx, settings, account_id, code):
        raise Invalid("code", "ERR_CODE")
    await queries.prove_totp(tx, account_id)
    return await new_recovery_codes(tx, account_id)


async def new_recovery_codes(tx: Tx, account_id: int) -> list[str]:
    """Ten codes for the day the second factor is lost; those before are worth nothing any more."""
    codes = [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(RECOVERY_CODES)]
    await queries.put_recovery_codes(tx, account_id, [fingerprint(policy.plain(code)) for code in codes])
    return codes


async def drop_totp(tx: Tx, account_id: int) -> None:
    """Ask for no code any more."""
    await queries.drop_totp(tx, account_id)
    await queries.put_recovery_codes(tx, account_id, [])


async def begin_sign_in(tx: Tx, account_id: int) -> str | None:
    """The password was right: a token for the step of the code, or None when there is no such step."""
    known = await queries.factor(tx, account_id)
    if known is None or known.proved_at is None:
        return None
    token = fresh()
    await queries.add_sign_in(tx, fingerprint(token), account_id)
    return token


async def prove_code(tx: Tx, settings: Settings, account_id: int, code: str) -> bool:
    """Is this the code of this half-minute, or a recovery code? Either is good once."""
    return await _take(tx, settings, account_id, code) or await queries.use_recovery_code(
        tx, account_id, fingerprint(policy.plain(code))
    )


def _signature(settings: Settings, body: bytes) -> bytes:
    key = kept(settings.secrets, "passkeys.key", lambda: secrets.token_bytes(32))
    return hmac.new(key, body, hashlib.sha256).digest()


def challenge(settings: Settings, purpose: str, now: datetime) -> bytes:
    """What a passkey must sign: nobody else can make one, and it stands for ten minutes."""
    body = secrets.token_bytes(16) + int(now.timestamp() + 600).to_bytes(8, "big")
    return body + _signature(settings, purpose.encode() + body)


async def use_challenge(tx: Tx, settings: Settings, purpose: str, given: bytes) -> bytes:
    """The challenge that was signed, if it is one of ours for this purpose and was not used before."""
    body, signed = given[:24], given[24:]
    good = hmac.compare_digest(signed, _signature(settings, purpose.encode() + body))
    if not good or int.from_bytes(body[16:], "big") < tx.now.timestamp():
        raise Invalid("credential", "ERR_PASSKEY")
    if not await queries.add_sign_in(tx, hashlib.sha256(given).digest(), None):
        raise Invalid("credential", "ERR_PASSKEY")
    return given


def _site(settings: Settings) -> str:
    return urlsplit(settings.base).hostname or ""


def passkey_options(settings: Settings, account: Account, known: Sequence[bytes], now: datetime) -> str:
    """What a browser is told to make a passkey with (WebAuthn level 2 §5.4)."""
    made = webauthn.generate_registration_options(
        rp_id=_site(settings), rp_name=settings.city_name, user_name=account.username,
        user_id=str(account.id).encode(), user_display_name=account.display_name or account.username,
        challenge=challenge(settings, f"create {account.id}", now),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return webauthn.options_to_json(made)


def sign_in_options(settings: Settings, now: datetime) -> str:
    """What a browser is told to sign in with a passkey: any that it has for this site."""
    return webauthn.options_to_json(webauthn.generate_authentication_options(
        rp_id=_site(settings), challenge=challenge(settings, "sign in", now),
        user_verification=UserVerificationRequirement.REQUIRED,
    ))


def _signed(credential: str) -> bytes:
    """The challenge that a browser says was signed."""
    try:
        said = msgspec.json.decode(credential, type=Credential)
        asked = msgspec.json.decode(base64url_to_bytes(said.response.clientDataJSON), type=Said)
        return base64url_to_bytes(asked.challenge)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid("credential", "ERR_PASSKEY") from error


async def add_passkey(tx: Tx, settings: Settings, account_id: int, credential: str, name: str) -> None:
    """Keep the public key of a passkey that was just made for this site."""
    expected = await use_challenge(tx, settings, f"create {account_id}", _signed(credential))
    try:
        made = webauthn.verify_registration_response(
            credential=credential, expected_challenge=expected, expected_rp_id=_site(settings),
            expected_origin=settings.base, require_user_verification=True,
        )
    except WebAuthnException as error:
        raise Invalid("credential", "ERR_PASSKEY") from error
    shown = name.strip()[:60] or "…"
    if not await queries.add_passkey(
        tx, account_id, made.credential_id, made.credential_public_key, made.sign_count, shown
    ):
        raise Invalid("credential", "ERR_PASSKEY")


async def prove_passkey(tx: Tx, settings: Settings, credential: str) -> int:
    """Whose passkey signed: it stands for password and code alike, since it asked for a finger or a PIN."""
    expected = await use_challenge(tx, settings, "sign in", _signed(credential))
    try:
        said = parse_authentication_credential_json(credential)
        known = await queries.passkey(tx, said.raw_id)
        if known is None:
            raise Invalid("credential", "ERR_PASSKEY")
        proved = webauthn.verify_authentication_response(
            credential=said, expected_challenge=expected, expected_rp_id=_site(settings), expected_origin=settings.base,
            credential_public_key=known.public_key, credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise Invalid("credential", "ERR_PASSKEY") from error
    await queries.use_passkey(tx, known.id, proved.new_sign_count)
    return known.account_id


async def forget_old(job: Job) -> None:
    """Drop sign-ins that were left half-made."""
    async with job.db.write() as tx:
        await queries.drop_old(tx)

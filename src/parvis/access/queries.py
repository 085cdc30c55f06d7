"""The SQL of signing in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parvis.access.model import Application, Bearer, Code, Revoked, Session, User
from parvis.base.db import Read, Tx

APPLICATION = "id, client_id, client_secret_hash, name, website, redirect_uris, scopes"
USER = """account_id, email, password_hash, confirmed_at, locale, role, disabled_at, default_privacy, default_sensitive,
    default_language, default_quote_policy, created_at"""


async def add_application(
    tx: Tx, client_id: str, secret_hash: bytes, shown: tuple[str, str | None], uris: Sequence[str],
    scopes: Sequence[str],
) -> int:
    """Insert an app; its id."""
    return int(
        await tx.value(
            """INSERT INTO applications (client_id, client_secret_hash, name, website, redirect_uris, scopes)
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""",
            client_id, secret_hash, *shown, list(uris), list(scopes),
        )
    )


async def application(r: Read, client_id: str) -> Application | None:
    """The app that calls itself so."""
    return await r.one(Application, f"SELECT {APPLICATION} FROM applications WHERE client_id = $1", client_id)


async def application_by_id(r: Read, application_id: int) -> Application | None:
    """The app with that id."""
    return await r.one(Application, f"SELECT {APPLICATION} FROM applications WHERE id = $1", application_id)


async def add_user(
    tx: Tx, account_id: int, email: str, password_hash: str, locale: str, application_id: int | None
) -> bool:
    """Insert someone who can sign in; False when the address is taken."""
    return bool(
        await tx.run(
            """INSERT INTO users (account_id, email, password_hash, locale, application_id, default_language)
               VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT (email) DO NOTHING""",
            account_id, email, password_hash, locale, application_id,
        )
    )


async def user(r: Read, account_id: int) -> User | None:
    """Who signs in as this account."""
    return await r.one(User, f"SELECT {USER} FROM users WHERE account_id = $1", account_id)


async def user_by_login(r: Read, login: str) -> User | None:
    """Who signs in with this address or name."""
    return await r.one(
        User,
        f"""SELECT {USER} FROM users
            WHERE email = $1::text::citext OR account_id = (
                SELECT id FROM accounts WHERE domain IS NULL AND lower(username) = lower($1) AND deleted_at IS NULL)
            LIMIT 1""",
        login,
    )


async def maker(r: Read, account_id: int) -> int | None:
    """The app with which somebody settled here."""
    found: int | None = await r.value("SELECT application_id FROM users WHERE account_id = $1", account_id)
    return found


async def change_email(tx: Tx, account_id: int, email: str) -> bool:
    """Another address; False when somebody else has it."""
    return bool(
        await tx.run(
            """UPDATE users SET email = $2::text::citext WHERE account_id = $1
               AND NOT EXISTS (SELECT FROM users o WHERE o.email = $2::text::citext AND o.account_id <> $1)""",
            account_id, email,
        )
    )


async def confirm(tx: Tx, account_id: int) -> bool:
    """Note that the address was confirmed; False when it was before."""
    return bool(
        await tx.run(
            "UPDATE users SET confirmed_at = parvis_now() WHERE account_id = $1 AND confirmed_at IS NULL", account_id
        )
    )


async def appoint(tx: Tx, account_id: int, role: str) -> int:
    """Give someone a role. A role decides nothing by itself: power needs a mandate."""
    return await tx.run("UPDATE users SET role = $2 WHERE account_id = $1", account_id, role)


async def prefer(
    tx: Tx, account_id: int, privacy: str | None, sensitive: bool | None, language: str | None, quotes: str | None
) -> int:
    """Change how new posts are made, and who may quote them; None leaves as it is."""
    return await tx.run(
        """UPDATE users SET default_privacy = coalesce($2, default_privacy),
               default_sensitive = coalesce($3, default_sensitive), default_language = coalesce($4, default_language),
               default_quote_policy = coalesce($5, default_quote_policy)
           WHERE account_id = $1""",
        account_id, privacy, sensitive, language, quotes,
    )


async def add_code(
    tx: Tx, code_hash: bytes, application_id: int, account_id: int, redirect_uri: str,
    grant: tuple[list[str], str | None],
) -> int:
    """Insert an authorization code that stands for ten minutes."""
    return await tx.run(
        """INSERT INTO authorization_codes
               (code_hash, application_id, account_id, redirect_uri, scopes, challenge, due_at)
           VALUES ($1, $2, $3, $4, $5, $6, parvis_now() + interval '10 minutes')""",
        code_hash, application_id, account_id, redirect_uri, grant[0], grant[1],
    )


async def use_code(tx: Tx, code_hash: bytes) -> Code | None:
    """Use a code up; None when there is none, or it was used or is too old."""
    return await tx.one(
        Code,
        """UPDATE authorization_codes SET used_at = parvis_now()
           WHERE code_hash = $1 AND used_at IS NULL AND due_at > parvis_now()
           RETURNING application_id, account_id, redirect_uri, scopes, challenge, due_at""",
        code_hash,
    )


async def add_token(
    tx: Tx, token_hash: bytes, application_id: int | None, account_id: int | None, scopes: Sequence[str],
    expires_at: datetime | None = None,
) -> datetime:
    """Insert a token; when it was made."""
    made: datetime = await tx.value(
        """INSERT INTO tokens (token_hash, application_id, account_id, scopes, expires_at)
           VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (token_hash) DO UPDATE SET revoked_at = NULL, scopes = EXCLUDED.scopes,
               account_id = EXCLUDED.account_id
           RETURNING created_at""",
        token_hash, application_id, account_id, list(scopes), expires_at,
    )
    return made


async def bearer(r: Read, token_hash: bytes) -> Bearer | None:
    """What a token stands for; None when it stands for nothing any more."""
    return await r.one(
        Bearer,
        """SELECT t.id, t.application_id, t.account_id, t.scopes, a.username, a.uri,
                  coalesce(a.suspended_at IS NOT NULL OR a.deleted_at IS NOT NULL, false),
                  coalesce(u.confirmed_at IS NOT NULL, false), coalesce(u.disabled_at IS NOT NULL, false),
                  u.role, u.locale
           FROM tokens t
           LEFT JOIN users u ON u.account_id = t.account_id
           LEFT JOIN accounts a ON a.id = t.account_id
           WHERE t.token_hash = $1 AND t.revoked_at IS NULL
             AND (t.expires_at IS NULL OR t.expires_at > parvis_now())""",
        token_hash,
    )


async def revoke(tx: Tx, token_hash: bytes, application_id: int) -> Revoked | None:
    """End a token of this app; None when it had ended before."""
    return await tx.one(
        Revoked,
        """UPDATE tokens SET revoked_at = parvis_now()
           WHERE token_hash = $1 AND application_id = $2 AND revoked_at IS NULL RETURNING id AS token_id, account_id""",
        token_hash, application_id,
    )


async def change_password(tx: Tx, account_id: int, password_hash: str) -> bool:
    """Another password; every browser and token that came in with the old one is out."""
    return bool(
        await tx.run(
            """WITH browsers AS (DELETE FROM sessions WHERE account_id = $1),
                    ended AS (UPDATE tokens SET revoked_at = parvis_now() WHERE account_id = $1 AND revoked_at IS NULL)
               UPDATE users SET password_hash = $2 WHERE account_id = $1""",
            account_id, password_hash,
        )
    )


async def disable(tx: Tx, account_id: int) -> bool:
    """Let somebody sign in no more; False when they could not before."""
    return bool(
        await tx.run(
            """WITH browsers AS (DELETE FROM sessions WHERE account_id = $1)
               UPDATE users SET disabled_at = parvis_now() WHERE account_id = $1 AND disabled_at IS NULL""",
            account_id,
        )
    )


async def drop_application(tx: Tx, application_id: int) -> bool:
    """Remove an app with its tokens and codes; False when there is none."""
    return bool(await tx.run("DELETE FROM applications WHERE id = $1", application_id))


async def token_owner(r: Read, token_hash: bytes) -> int | None:
    """The app to which a token was given."""
    found: int | None = await r.value("SELECT application_id FROM tokens WHERE token_hash = $1", token_hash)
    return found


async def add_session(tx: Tx, token_hash: bytes, account_id: int, csrf: str) -> int:
    """Insert a signed-in browser for 30 days."""
    return await tx.run(
        """INSERT INTO sessions (token_hash, account_id, csrf, due_at)
           VALUES ($1, $2, $3, parvis_now() + interval '30 days')""",
        token_hash, account_id, csrf,
    )


async def session(r: Read, token_hash: bytes) -> Session | None:
    """Who is signed in with this browser. Someone suspended is: they may read the decision and appeal."""
    return await r.one(
        Session,
        """SELECT s.account_id, s.csrf, u.confirmed_at IS NOT NULL, u.role, a.suspended_at IS NOT NULL
           FROM sessions s JOIN users u ON u.account_id = s.account_id JOIN accounts a ON a.id = s.account_id
           WHERE s.token_hash = $1 AND s.due_at > parvis_now() AND u.disabled_at IS NULL
             AND a.deleted_at IS NULL""",
        token_hash,
    )


async def drop_session(tx: Tx, token_hash: bytes) -> int:
    """Sign a browser out."""
    return await tx.run("DELETE FROM sessions WHERE token_hash = $1", token_hash)


async def forget_old(tx: Tx) -> int:
    """Drop codes and sessions whose time is over."""
    return await tx.run(
        """WITH codes AS (DELETE FROM authorization_codes WHERE due_at < parvis_now() - interval '1 hour')
           DELETE FROM sessions WHERE due_at < parvis_now()"""
    )

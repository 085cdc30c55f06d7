"""The SQL of signing in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parvis.access.model import (
    Application,
    Authorised,
    Bearer,
    Browser,
    Code,
    EmailBlock,
    EmailDomainBlock,
    IpBlock,
    Revoked,
    Session,
    SignUp,
    Tried,
    User,
)
from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways

APPLICATION = "id, client_id, client_secret_hash, name, website, redirect_uris, scopes"
USER = """account_id, email, password_hash, confirmed_at, locale, role, disabled_at, default_privacy, default_sensitive,
    default_language, default_quote_policy, created_at, approved_at"""

IP_BLOCK = "id, ip::text, severity, comment, created_at, expires_at"
EMAIL_DOMAIN = "id, domain, comment, created_at"
EMAIL = "id, hash, comment"
LIVE = "(expires_at IS NULL OR expires_at > parvis_now())"
IP_PAGE = both_ways(
    f"SELECT {IP_BLOCK} FROM ip_blocks WHERE id > $1 AND id < $2 AND {LIVE} ORDER BY id DESC /*page*/ LIMIT $3"
)
EMAIL_DOMAIN_PAGE = both_ways(
    f"SELECT {EMAIL_DOMAIN} FROM email_domain_blocks WHERE id > $1 AND id < $2 ORDER BY id DESC /*page*/ LIMIT $3"
)
EMAIL_PAGE = both_ways(
    f"SELECT {EMAIL} FROM canonical_email_blocks WHERE id > $1 AND id < $2 ORDER BY id DESC /*page*/ LIMIT $3"
)



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
    tx: Tx, account_id: int, wish: SignUp, password_hash: str, application_id: int | None
) -> bool:
    """Insert someone who can sign in; False when the address is taken."""
    return bool(
        await tx.run(
            """INSERT INTO users (account_id, email, password_hash, locale, application_id, default_language, reason)
               VALUES ($1, $2, $3, $4, $5, $4, nullif($6, '')) ON CONFLICT (email) DO NOTHING""",
            account_id, wish.email, password_hash, wish.locale, application_id, wish.reason.strip(),
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


async def bearers(r: Read, hashes: Sequence[bytes]) -> dict[bytes, Bearer]:
    """What tokens stand for, by their hashes; one that stands for nothing any more is left out."""
    found = await r.all(
        Bearer,
        """SELECT t.id, t.application_id, t.account_id, t.scopes, a.username, a.uri,
                  coalesce(a.suspended_at IS NOT NULL OR a.deleted_at IS NOT NULL, false),
                  coalesce(u.confirmed_at IS NOT NULL, false), coalesce(u.disabled_at IS NOT NULL, false),
                  u.role, u.locale, coalesce(u.approved_at IS NOT NULL, true), t.token_hash
           FROM tokens t
           LEFT JOIN users u ON u.account_id = t.account_id
           LEFT JOIN accounts a ON a.id = t.account_id
           WHERE t.token_hash = ANY($1::bytea[]) AND t.revoked_at IS NULL
             AND (t.expires_at IS NULL OR t.expires_at > parvis_now())""",
        list(hashes),
    )
    return {one.token_hash: one for one in found}


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


async def add_session(tx: Tx, token_hash: bytes, account_id: int, csrf: str, user_agent: str) -> int:
    """Insert a signed-in browser for 30 days."""
    return await tx.run(
        """INSERT INTO sessions (token_hash, account_id, csrf, user_agent, due_at)
           VALUES ($1, $2, $3, $4, parvis_now() + interval '30 days')""",
        token_hash, account_id, csrf, user_agent,
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


async def hold(tx: Tx, account_id: int) -> int:
    """Let somebody new wait for a moderator."""
    return await tx.run("UPDATE users SET approved_at = NULL WHERE account_id = $1", account_id)


async def approve(tx: Tx, account_id: int) -> bool:
    """Let somebody in; False when they were."""
    return bool(await tx.run(
        "UPDATE users SET approved_at = parvis_now() WHERE account_id = $1 AND approved_at IS NULL", account_id
    ))


async def drop_pending(tx: Tx, account_id: int) -> bool:
    """Forget somebody who waits; False when nobody of that name waits."""
    return bool(await tx.run("DELETE FROM users WHERE account_id = $1 AND approved_at IS NULL", account_id))


async def ip_severity(r: Read, address: str) -> str | None:
    """The most severe block that covers an address."""
    found: str | None = await r.value(
        f"""SELECT severity FROM ip_blocks WHERE ip >>= $1::text::inet AND {LIVE}
            ORDER BY severity = 'no_access' DESC, severity = 'sign_up_block' DESC LIMIT 1""",
        address,
    )
    return found


async def email_domain_block_of(r: Read, domains: Sequence[str]) -> int | None:
    """The block of one of these domains."""
    found: int | None = await r.value(
        "SELECT id FROM email_domain_blocks WHERE domain = ANY($1::text[]) ORDER BY length(domain) LIMIT 1",
        list(domains),
    )
    return found


async def count_try(tx: Tx, block_id: int) -> int:
    """Count a sign-up that a block refuses."""
    return await tx.run(
        """INSERT INTO email_domain_tries (block_id, day, tries)
           VALUES ($1, (parvis_now() AT TIME ZONE 'UTC')::date, 1)
           ON CONFLICT (block_id, day) DO UPDATE SET tries = email_domain_tries.tries + 1""",
        block_id,
    )


async def is_canonical_blocked(r: Read, hashed: str) -> bool:
    """Is this very mailbox kept out?"""
    return bool(await r.value("SELECT EXISTS (SELECT FROM canonical_email_blocks WHERE hash = $1)", hashed))


async def add_ip_block(
    tx: Tx, by: int, ip: str, severity: str, comment: str, expires_at: datetime | None
) -> int:
    """Insert a block of addresses."""
    return int(await tx.value(
        """INSERT INTO ip_blocks (ip, severity, comment, expires_at, account_id)
           VALUES ($1::text::cidr, $2, $3, $4, $5) RETURNING id""",
        ip, severity, comment, expires_at, by,
    ))


async def change_ip_block(
    tx: Tx, block_id: int, by: int, values: tuple[str, str, str], expires_at: datetime | None
) -> bool:
    """Change a block of addresses; False when there is none."""
    return bool(await tx.run(
        """UPDATE ip_blocks SET ip = $2::text::cidr, severity = $3, comment = $4, expires_at = $5, account_id = $6
           WHERE id = $1""",
        block_id, *values, expires_at, by,
    ))


async def ip_block(r: Read, block_id: int) -> IpBlock | None:
    """One block of addresses."""
    return await r.one(IpBlock, f"SELECT {IP_BLOCK} FROM ip_blocks WHERE id = $1 AND {LIVE}", block_id)


async def ip_blocks(r: Read, page: Page) -> list[IpBlock]:
    """Blocks of addresses, the newest first."""
    return await r.all(IpBlock, IP_PAGE[page.upwards], page.after, page.before, page.limit)


async def drop_ip_block(tx: Tx, block_id: int) -> bool:
    """Take a block of addresses back."""
    return bool(await tx.run("DELETE FROM ip_blocks WHERE id = $1", block_id))


async def drop_due_ip_blocks(tx: Tx) -> int:
    """Take back those whose time is over."""
    return await tx.run("DELETE FROM ip_blocks WHERE expires_at <= parvis_now()")


async def add_email_domain_block(tx: Tx, by: int, domain: str, comment: str) -> int | None:
    """Insert a block of an e-mail provider; None when there is one."""
    found: int | None = await tx.value(
        """INSERT INTO email_domain_blocks (domain, comment, account_id) VALUES ($1, $2, $3)
           ON CONFLICT (domain) DO NOTHING RETURNING id""",
        domain, comment, by,
    )
    return found


async def email_domain_block(r: Read, block_id: int) -> EmailDomainBlock | None:
    """One block of an e-mail provider."""
    return await r.one(
        EmailDomainBlock, f"SELECT {EMAIL_DOMAIN} FROM email_domain_blocks WHERE id = $1", block_id
    )


async def email_domain_blocks(r: Read, page: Page) -> list[EmailDomainBlock]:
    """Blocks of e-mail providers, the newest first."""
    return await r.all(EmailDomainBlock, EMAIL_DOMAIN_PAGE[page.upwards], page.after, page.before, page.limit)


async def tried(r: Read, block_ids: Sequence[int]) -> list[Tried]:
    """How many sign-ups they refused on each of the last seven days, the last day first."""
    return await r.all(
        Tried,
        """SELECT b.id, d.day, coalesce(t.tries, 0)
           FROM unnest($1::bigint[]) b(id) CROSS JOIN LATERAL (
               SELECT (parvis_now() AT TIME ZONE 'UTC')::date - ago AS day FROM generate_series(0, 6) ago) d
           LEFT JOIN email_domain_tries t ON t.block_id = b.id AND t.day = d.day ORDER BY b.id, d.day DESC""",
        list(block_ids),
    )


async def drop_email_domain_block(tx: Tx, block_id: int) -> bool:
    """Take a block of an e-mail provider back."""
    return bool(await tx.run("DELETE FROM email_domain_blocks WHERE id = $1", block_id))


async def add_email_block(tx: Tx, by: int, hashed: str, comment: str) -> int | None:
    """Insert a block of one address; None when there is one."""
    found: int | None = await tx.value(
        """INSERT INTO canonical_email_blocks (hash, comment, account_id) VALUES ($1, $2, $3)
           ON CONFLICT (hash) DO NOTHING RETURNING id""",
        hashed, comment, by,
    )
    return found


async def email_block(r: Read, block_id: int) -> EmailBlock | None:
    """One block of an address."""
    return await r.one(EmailBlock, f"SELECT {EMAIL} FROM canonical_email_blocks WHERE id = $1", block_id)


async def email_blocks(r: Read, page: Page) -> list[EmailBlock]:
    """Blocks of addresses, the newest first."""
    return await r.all(EmailBlock, EMAIL_PAGE[page.upwards], page.after, page.before, page.limit)


async def email_blocks_of(r: Read, hashed: str) -> list[EmailBlock]:
    """The blocks that fit an address: one or none."""
    return await r.all(EmailBlock, f"SELECT {EMAIL} FROM canonical_email_blocks WHERE hash = $1", hashed)


async def drop_email_block(tx: Tx, block_id: int) -> bool:
    """Take a block of an address back."""
    return bool(await tx.run("DELETE FROM canonical_email_blocks WHERE id = $1", block_id))


async def browsers(r: Read, account_id: int) -> list[Browser]:
    """With which browsers somebody is signed in, the last first."""
    return await r.all(
        Browser,
        """SELECT id, token_hash, user_agent, created_at FROM sessions
           WHERE account_id = $1 AND due_at > parvis_now() ORDER BY id DESC""",
        account_id,
    )


async def drop_browser(tx: Tx, account_id: int, session_id: int) -> int:
    """Sign one of somebody's browsers out."""
    return await tx.run("DELETE FROM sessions WHERE account_id = $1 AND id = $2", account_id, session_id)


async def authorised(r: Read, account_id: int) -> list[Authorised]:
    """The apps that may act for somebody."""
    return await r.all(
        Authorised,
        """SELECT p.id AS application_id, p.name, p.website,
                  ARRAY(SELECT DISTINCT s FROM tokens o, unnest(o.scopes) s
                        WHERE o.account_id = $1 AND o.application_id = p.id AND o.revoked_at IS NULL ORDER BY s),
                  min(t.created_at)
           FROM tokens t JOIN applications p ON p.id = t.application_id
           WHERE t.account_id = $1 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > parvis_now())
           GROUP BY p.id ORDER BY p.id DESC""",
        account_id,
    )


async def revoke_application(tx: Tx, account_id: int, application_id: int) -> list[Revoked]:
    """End all that an app may do for somebody."""
    return await tx.all(
        Revoked,
        """UPDATE tokens SET revoked_at = parvis_now()
           WHERE account_id = $1 AND application_id = $2 AND revoked_at IS NULL RETURNING id AS token_id, account_id""",
        account_id, application_id,
    )


async def drop_user(tx: Tx, account_id: int) -> int:
    """Forget how somebody signs in, and with it all that is theirs alone."""
    return await tx.run("DELETE FROM users WHERE account_id = $1", account_id)

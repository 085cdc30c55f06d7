"""The SQL of emoji. Which ones a text names is the SQL function emojis_in, for cards, pages and documents alike."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from parvis.base.db import Read, Tx
from parvis.emojis.model import Emoji, Heard, Kept

EMOJI = """id, shortcode, domain, file, static_file, remote_url, static_url, category, visible_in_picker, updated_at
    FROM custom_emojis"""


async def listed(r: Read) -> list[Emoji]:
    """This city's emoji that a picker shows."""
    return await r.all(
        Emoji,
        f"""SELECT {EMOJI} WHERE domain IS NULL AND visible_in_picker AND NOT disabled
            ORDER BY category NULLS LAST, shortcode""",
    )


async def ours(r: Read, shortcode: str) -> Emoji | None:
    """One of this city's emoji."""
    return await r.one(
        Emoji, f"SELECT {EMOJI} WHERE shortcode = $1 AND coalesce(domain, '') = '' AND NOT disabled", shortcode
    )


async def named(r: Read, text: str, domain: str | None) -> list[Emoji]:
    """The emoji that a text of that server names (None: of this city)."""
    return msgspec.convert(await r.value("SELECT emojis_in($1, $2)", text, domain), list[Emoji])


async def put(tx: Tx, shortcode: str, kept: Kept, category: str | None) -> int:
    """Insert one of this city's emoji, or draw it anew."""
    return await tx.run(
        """INSERT INTO custom_emojis (shortcode, file, static_file, category, updated_at)
           VALUES ($1, $2, $3, $4, parvis_now())
           ON CONFLICT (shortcode, coalesce(domain, '')) DO UPDATE SET file = EXCLUDED.file,
               static_file = EXCLUDED.static_file, category = EXCLUDED.category, updated_at = EXCLUDED.updated_at""",
        shortcode, kept.file, kept.static_file, category,
    )


async def drop(tx: Tx, shortcode: str) -> int:
    """Delete one of this city's emoji."""
    return await tx.run(
        "DELETE FROM custom_emojis WHERE shortcode = $1 AND coalesce(domain, '') = ''", shortcode
    )


async def learn(tx: Tx, domain: str, heard: Sequence[Heard]) -> int:
    """Write down where another server's emoji are; what is known already changes only if it is not older."""
    return await tx.run(
        """INSERT INTO custom_emojis (shortcode, domain, remote_url, updated_at)
           SELECT n, $1, u, least(t, parvis_now())
           FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS w(n, u, t) ORDER BY n
           ON CONFLICT (shortcode, coalesce(domain, '')) DO UPDATE SET remote_url = EXCLUDED.remote_url,
               updated_at = EXCLUDED.updated_at
           WHERE custom_emojis.remote_url <> EXCLUDED.remote_url
             AND (EXCLUDED.updated_at >= custom_emojis.updated_at) IS NOT FALSE""",
        domain, [one.shortcode for one in heard], [one.url for one in heard], [one.updated for one in heard],
    )

"""The SQL of moderation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parvis.base.db import Read, Tx
from parvis.ledger.model import Order
from parvis.moderation.model import (
    Appeal,
    Case,
    Decision,
    DecisionDraft,
    RegisterEntry,
    Report,
    ReportDraft,
    Statement,
)

REPORT = """r.id, r.case_id, r.account_id, r.target_id, r.status_ids, r.version_ids, r.category, r.comment, r.forward,
    r.created_at, c.closed_at"""
CASE = """c.id, c.target_id, c.opened_at, c.closed_at,
    (SELECT count(*) FROM reports r WHERE r.case_id = c.id)::int"""
DECISION = """d.id, d.case_id, d.target_id, d.status_ids, d.level::int, d.article_version_id, d.legal_order_id, d.facts,
    d.ends_at, d.decided_by, d.decided_at, d.act_at, l.index, c.moderator_id, m.starts_at, m.lifted_at,
    overturned(d.id)"""
DECISIONS = """decisions d JOIN ledger_leaves l ON l.id = d.leaf_id
    LEFT JOIN decision_confirmations c ON c.decision_id = d.id LEFT JOIN measures m ON m.decision_id = d.id"""
APPEAL = "a.id, a.decision_id, a.account_id, a.text, a.created_at, o.outcome, o.reasons, o.decided_by"
APPEALS = "appeals a LEFT JOIN appeal_decisions o ON o.appeal_id = a.id"
ENTRY = """l.index, l.decided_at, l.kind, (e.entry ->> 'level')::int, e.entry ->> 'measure', e.entry ->> 'article',
    (e.entry ->> 'charter_version')::int, e.entry ->> 'authority', e.entry ->> 'subject', e.entry ->> 'reasons',
    encode(l.leaf_hash, 'hex'), l.index < ledger_signed()"""
ENTRIES = "ledger_leaves l CROSS JOIN LATERAL (SELECT convert_from(l.data, 'UTF8')::jsonb AS entry) e"


async def open_case(tx: Tx, target_id: int) -> int:
    """The open case on an account, opened if there is none."""
    return int(await tx.value(
        """WITH made AS (INSERT INTO cases (target_id) VALUES ($1)
               ON CONFLICT (target_id) WHERE closed_at IS NULL DO NOTHING RETURNING id)
           SELECT id FROM made UNION ALL SELECT id FROM cases WHERE target_id = $1 AND closed_at IS NULL LIMIT 1""",
        target_id,
    ))


async def close_case(tx: Tx, case_id: int) -> None:
    """The case is decided; new reports open another."""
    await tx.run("UPDATE cases SET closed_at = parvis_now() WHERE id = $1 AND closed_at IS NULL", case_id)


async def case(r: Read, case_id: int) -> Case | None:
    """One case."""
    return await r.one(Case, f"SELECT {CASE} FROM cases c WHERE c.id = $1", case_id)


async def open_cases(r: Read, before: int | None, limit: int) -> list[Case]:
    """Cases that wait for a decision, the newest first."""
    return await r.all(
        Case,
        f"""SELECT {CASE} FROM cases c
            WHERE c.closed_at IS NULL AND c.id < coalesce($1::bigint, 9223372036854775807)
            ORDER BY c.id DESC LIMIT $2""",
        before, limit,
    )


async def add_report(tx: Tx, case_id: int, by: int, target_id: int, draft: ReportDraft) -> int:
    """Write a report."""
    return int(await tx.value(
        """INSERT INTO reports (case_id, account_id, target_id, status_ids, version_ids, category, comment, forward)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id""",
        case_id, by, target_id, list(draft.status_ids), list(draft.article_ids), draft.category, draft.comment,
        draft.forward,
    ))


async def report(r: Read, report_id: int) -> Report | None:
    """One report."""
    return await r.one(
        Report, f"SELECT {REPORT} FROM reports r JOIN cases c ON c.id = r.case_id WHERE r.id = $1", report_id
    )


async def reports_of_case(r: Read, case_id: int) -> list[Report]:
    """A case's reports, the oldest first."""
    return await r.all(
        Report,
        f"SELECT {REPORT} FROM reports r JOIN cases c ON c.id = r.case_id WHERE r.case_id = $1 ORDER BY r.id",
        case_id,
    )


async def reports(r: Read, before: int | None, limit: int, resolved: bool | None = None) -> list[Report]:
    """Reports, the newest first."""
    return await r.all(
        Report,
        f"""SELECT {REPORT} FROM reports r JOIN cases c ON c.id = r.case_id
            WHERE r.id < coalesce($1::bigint, 9223372036854775807)
                AND ($3::boolean IS NULL OR (c.closed_at IS NOT NULL) = $3)
            ORDER BY r.id DESC LIMIT $2""",
        before, limit, resolved,
    )


async def is_moderator(r: Read, account_id: int) -> bool:
    """May this account decide in the city's name at all?"""
    return bool(await r.value("SELECT is_moderator($1)", account_id))


async def act_at(r: Read, target_id: int, status_ids: Sequence[int], case_id: int | None) -> datetime | None:
    """When the act took place, as the database will find it."""
    found: datetime | None = await r.value(
        "SELECT max(moment) FROM acts($1, $2::bigint[], $3) moment", target_id, list(status_ids), case_id
    )
    return found


async def citable(r: Read, at: datetime, version_ids: Sequence[int]) -> int | None:
    """Of these articles, in any version, the first still in force whose version at a moment can be cited."""
    found: int | None = await r.value(
        """SELECT v.id FROM unnest($2::bigint[]) WITH ORDINALITY n(id, place)
           JOIN article_versions named ON named.id = n.id
           JOIN article_versions v ON v.number = named.number AND v.in_force @> $1::timestamptz
           WHERE EXISTS (SELECT FROM article_versions t WHERE t.number = v.number AND t.in_force @> parvis_now())
           ORDER BY n.place LIMIT 1""",
        at, list(version_ids),
    )
    return found


async def add_order(tx: Tx, order: Order) -> int:
    """Write down what the law or an authority orders."""
    return int(await tx.value(
        "INSERT INTO legal_orders (authority, reference, text) VALUES ($1, $2, $3) RETURNING id",
        order.authority, order.reference, order.text,
    ))


async def add_decision(
    tx: Tx, by: int, case_id: int, draft: DecisionDraft, version_id: int | None, order_id: int | None
) -> int:
    """Write a decision; the database checks that it stands and puts it on the public record."""
    return int(await tx.value(
        """INSERT INTO decisions (case_id, target_id, status_ids, level, article_version_id, legal_order_id, facts,
               ends_at, decided_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id""",
        case_id, draft.target_id, list(draft.status_ids), int(draft.level), version_id, order_id, draft.facts.strip(),
        draft.ends_at, by,
    ))


async def decision(r: Read, decision_id: int) -> Decision | None:
    """One decision."""
    return await r.one(Decision, f"SELECT {DECISION} FROM {DECISIONS} WHERE d.id = $1", decision_id)


async def decisions(r: Read, decision_ids: Sequence[int]) -> list[Decision]:
    """Some decisions, in no order."""
    return await r.all(
        Decision, f"SELECT {DECISION} FROM {DECISIONS} WHERE d.id = ANY($1::bigint[])", list(decision_ids)
    )


async def decisions_about(r: Read, target_id: int) -> list[Decision]:
    """Every decision about an account, the newest first."""
    return await r.all(
        Decision, f"SELECT {DECISION} FROM {DECISIONS} WHERE d.target_id = $1 ORDER BY d.id DESC", target_id
    )


async def waiting_for_second(r: Read) -> list[Decision]:
    """Decisions that a second moderator has yet to confirm."""
    return await r.all(
        Decision,
        f"""SELECT {DECISION} FROM {DECISIONS} JOIN measure_kinds k ON k.level = d.level
            WHERE k.moderators > 1 AND c.decision_id IS NULL AND NOT overturned(d.id)
                AND (d.ends_at IS NULL OR d.ends_at > parvis_now())
            ORDER BY d.id""",
    )


async def ready(r: Read) -> list[int]:
    """Decisions that may take effect now: recorded, confirmed where two are needed, not overturned, not over."""
    return await r.values(
        """SELECT d.id FROM decisions d JOIN measure_kinds k ON k.level = d.level
           WHERE d.level > 0 AND NOT EXISTS (SELECT FROM measures m WHERE m.decision_id = d.id)
               AND ledger_receipt(d.leaf_id) AND NOT overturned(d.id)
               AND (d.ends_at IS NULL OR d.ends_at > parvis_now())
               AND EXISTS (SELECT FROM statements_of_reasons s
                           WHERE s.decision_id = d.id AND s.delivered_at IS NOT NULL)
               AND (k.moderators = 1 OR EXISTS (SELECT FROM decision_confirmations c
                                                WHERE c.decision_id = d.id AND ledger_receipt(c.leaf_id)))
           ORDER BY d.id LIMIT 100"""
    )


async def over(r: Read) -> list[int]:
    """Measures that must be lifted: their end has come, or an appeal overturned them."""
    return await r.values(
        """SELECT decision_id FROM measures
           WHERE lifted_at IS NULL AND (ends_at <= parvis_now() OR overturned(decision_id)) ORDER BY 1 LIMIT 100"""
    )


async def confirm(tx: Tx, decision_id: int, moderator_id: int) -> None:
    """A second moderator agrees."""
    await tx.run(
        "INSERT INTO decision_confirmations (decision_id, moderator_id) VALUES ($1, $2)", decision_id, moderator_id
    )


async def deliver(tx: Tx, decision_id: int) -> None:
    """The person concerned can read the statement from now on."""
    await tx.run(
        "UPDATE statements_of_reasons SET delivered_at = parvis_now() WHERE decision_id = $1 AND delivered_at IS NULL",
        decision_id,
    )


async def statement(r: Read, decision_id: int) -> Statement | None:
    """A decision's statement of reasons."""
    return await r.one(
        Statement,
        """SELECT d.id, d.target_id, d.level::int, s.facts, s.ground, s.redress, d.ends_at, s.delivered_at
           FROM statements_of_reasons s JOIN decisions d ON d.id = s.decision_id WHERE d.id = $1""",
        decision_id,
    )


async def add_measure(tx: Tx, decision_id: int) -> bool:
    """Let a decision take effect. False: it already has."""
    return bool(await tx.run(
        "INSERT INTO measures (decision_id) VALUES ($1) ON CONFLICT DO NOTHING", decision_id
    ))


async def lift(tx: Tx, decision_id: int) -> bool:
    """End a measure. False: it had ended."""
    return bool(await tx.run(
        "UPDATE measures SET lifted_at = parvis_now() WHERE decision_id = $1 AND lifted_at IS NULL", decision_id
    ))


async def frozen_until(r: Read, account_id: int) -> datetime | None:
    """Until when an account may not post; None: it may."""
    found: datetime | None = await r.value(
        """SELECT max(ends_at) FROM measures
           WHERE target_id = $1 AND level = 5 AND lifted_at IS NULL AND ends_at > parvis_now()""",
        account_id,
    )
    return found


async def add_appeal(tx: Tx, decision_id: int, account_id: int, text: str) -> int | None:
    """Write an appeal. None: this person has appealed already."""
    found: int | None = await tx.value(
        """INSERT INTO appeals (decision_id, account_id, text) VALUES ($1, $2, $3)
           ON CONFLICT (decision_id, account_id) DO NOTHING RETURNING id""",
        decision_id, account_id, text,
    )
    return found


async def appeal(r: Read, appeal_id: int) -> Appeal | None:
    """One appeal."""
    return await r.one(Appeal, f"SELECT {APPEAL} FROM {APPEALS} WHERE a.id = $1", appeal_id)


async def open_appeals(r: Read) -> list[Appeal]:
    """Appeals that wait for an answer, the oldest first."""
    return await r.all(Appeal, f"SELECT {APPEAL} FROM {APPEALS} WHERE o.appeal_id IS NULL ORDER BY a.id")


async def decide_appeal(tx: Tx, appeal_id: int, by: int, outcome: str, reasons: str) -> None:
    """Answer an appeal."""
    await tx.run(
        "INSERT INTO appeal_decisions (appeal_id, outcome, reasons, decided_by) VALUES ($1, $2, $3, $4)",
        appeal_id, outcome, reasons, by,
    )


async def register(r: Read, before: int | None, limit: int) -> list[RegisterEntry]:
    """The public register, the newest entry first."""
    return await r.all(
        RegisterEntry,
        f"""SELECT {ENTRY} FROM {ENTRIES} WHERE l.index < coalesce($1::bigint, 9223372036854775807)
            ORDER BY l.index DESC LIMIT $2""",
        before, limit,
    )


async def register_entry(r: Read, index: int) -> RegisterEntry | None:
    """One entry of the public register; its proof is ledger.inclusion."""
    return await r.one(RegisterEntry, f"SELECT {ENTRY} FROM {ENTRIES} WHERE l.index = $1", index)


async def appeal_until(r: Read, decision_id: int) -> datetime | None:
    """Until when a decision can be appealed, as the charter has it."""
    found: datetime | None = await r.value(
        """SELECT coalesce(ledger_public_since(leaf_id), decided_at)
               + (charter_terms(parvis_now()) ->> 'appeal_time')::interval
           FROM decisions WHERE id = $1""",
        decision_id,
    )
    return found


async def longest_end(r: Read, level: int) -> datetime | None:
    """When a measure of this level must end at the latest, as the charter has it; None: it needs no end."""
    found: datetime | None = await r.value(
        """SELECT parvis_now() + (charter_terms(parvis_now())->>longest)::interval
           FROM measure_kinds WHERE level = $1 AND needs_end""",
        level,
    )
    return found

"""The SQL of moderation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from parvis.base.db import Read, Tx
from parvis.base.ids import Page, both_ways
from parvis.ledger.model import Order
from parvis.moderation.model import (
    Appeal,
    Case,
    Decision,
    DecisionDraft,
    DomainComments,
    DomainDraft,
    Handling,
    RegisterEntry,
    Report,
    ReportDraft,
    ReportFilter,
    Statement,
)

REPORT = """r.id, c.id AS case_id, r.account_id, r.target_id, r.status_ids,
    coalesce(h.version_ids, r.version_ids) AS article_ids,
    coalesce(h.category, r.category) AS category, r.comment, r.forward, r.created_at, c.closed_at, h.assigned_id,
    (SELECT d.decided_by FROM decisions d WHERE d.case_id = c.id ORDER BY d.id LIMIT 1),
    greatest(r.created_at, h.updated_at, c.closed_at)"""
# A report that was reopened is part of its newer case.
REPORTS = """reports r LEFT JOIN report_handling h ON h.report_id = r.id
    JOIN cases c ON c.id = coalesce(h.case_id, r.case_id)"""
CASE = """c.id, c.target_id, c.opened_at, c.closed_at,
    (SELECT count(*) FROM reports r WHERE r.case_id = c.id)::int
        + (SELECT count(*) FROM report_handling h WHERE h.case_id = c.id)::int"""
REPORT_PAGE = both_ways(
    f"""SELECT {REPORT} FROM {REPORTS} WHERE r.id > $1 AND r.id < $2
            AND ($4::boolean IS NULL OR (c.closed_at IS NOT NULL) = $4) AND ($5::bigint IS NULL OR r.account_id = $5)
            AND ($6::bigint IS NULL OR r.target_id = $6)
            AND ($7::text IS NULL OR EXISTS (SELECT FROM accounts a WHERE a.id = r.target_id AND a.domain = $7))
        ORDER BY r.id DESC /*page*/ LIMIT $3"""
)
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
        Report, f"SELECT {REPORT} FROM {REPORTS} WHERE r.id = $1", report_id
    )


async def reports_of_case(r: Read, case_id: int) -> list[Report]:
    """A case's reports, the oldest first."""
    return await r.all(
        Report,
        f"SELECT {REPORT} FROM {REPORTS} WHERE c.id = $1 OR r.case_id = $1 ORDER BY r.id",
        case_id,
    )


async def reports(r: Read, page: Page, wanted: ReportFilter) -> list[Report]:
    """Reports, the newest first."""
    return await r.all(
        Report, REPORT_PAGE[page.upwards], page.after, page.before, page.limit, wanted.resolved, wanted.account_id,
        wanted.target_id, wanted.target_domain,
    )


async def note(tx: Tx, report_id: int, noted: Handling) -> int:
    """Keep how moderators see a report; what its author wrote stays."""
    return await tx.run(
        """INSERT INTO report_handling (report_id, category, version_ids) VALUES ($1, $2, $3)
           ON CONFLICT (report_id) DO UPDATE SET category = coalesce(EXCLUDED.category, report_handling.category),
               version_ids = coalesce(EXCLUDED.version_ids, report_handling.version_ids), updated_at = parvis_now()""",
        report_id, noted.category, noted.article_ids,
    )


async def assign(tx: Tx, report_id: int, moderator_id: int | None) -> int:
    """Note who sees to a report."""
    return await tx.run(
        """INSERT INTO report_handling (report_id, assigned_id) VALUES ($1, $2)
           ON CONFLICT (report_id) DO UPDATE SET assigned_id = EXCLUDED.assigned_id, updated_at = parvis_now()""",
        report_id, moderator_id,
    )


async def reopen(tx: Tx, report_id: int, case_id: int) -> int:
    """Make a report part of another, open case as well."""
    return await tx.run(
        """INSERT INTO report_handling (report_id, case_id) VALUES ($1, $2)
           ON CONFLICT (report_id) DO UPDATE SET case_id = EXCLUDED.case_id, updated_at = parvis_now()""",
        report_id, case_id,
    )


async def in_force(r: Read, target_id: int, levels: Sequence[int]) -> list[int]:
    """The decisions about an account whose measures of these levels are in force."""
    return await r.values(
        """SELECT decision_id FROM measures WHERE target_id = $1 AND level = ANY($2::int[]) AND lifted_at IS NULL
           ORDER BY decision_id""",
        target_id, list(levels),
    )


async def lift_early(tx: Tx, decision_id: int, by: int, reasons: str) -> int:
    """Write down that a moderator ends a measure before its time."""
    return int(await tx.value(
        "INSERT INTO liftings (decision_id, reasons, decided_by) VALUES ($1, $2, $3) RETURNING id",
        decision_id, reasons, by,
    ))


async def order(r: Read, order_id: int) -> Order | None:
    """What the law or an authority ordered."""
    return await r.one(Order, "SELECT authority, reference, text FROM legal_orders WHERE id = $1", order_id)


async def is_final(r: Read, target_id: int) -> bool:
    """Is an account suspended by a decision that nobody can appeal any more, with no appeal unanswered?"""
    return bool(await r.value(
        """SELECT EXISTS (
               SELECT FROM measures m JOIN decisions d ON d.id = m.decision_id
               WHERE m.target_id = $1 AND m.level IN (6, 7) AND m.lifted_at IS NULL
                 AND ledger_public_since(d.leaf_id)
                     + (charter_terms(parvis_now()) ->> 'appeal_time')::interval < parvis_now()
                 AND NOT EXISTS (SELECT FROM appeals a LEFT JOIN appeal_decisions o ON o.appeal_id = a.id
                                 WHERE a.decision_id = d.id AND o.appeal_id IS NULL))""",
        target_id,
    ))


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
    """Measures that must be lifted: their end has come, an appeal overturned them, or a moderator ends them early."""
    return await r.values(
        """SELECT decision_id FROM measures
           WHERE lifted_at IS NULL AND (ends_at <= parvis_now() OR overturned(decision_id) OR EXISTS (
               SELECT FROM liftings l WHERE l.decision_id = measures.decision_id AND ledger_receipt(l.leaf_id)))
           ORDER BY 1 LIMIT 100"""
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


async def domain_act_at(r: Read, domain: str, status_ids: Sequence[int]) -> datetime | None:
    """When a server acted, as the database will find it: by its cited posts, or when it was met."""
    found: datetime | None = await r.value(
        """SELECT CASE WHEN cardinality($2::bigint[]) > 0
               THEN (SELECT max(greatest(received_at, edit_received_at)) FROM statuses WHERE id = ANY($2))
               ELSE coalesce((SELECT to_timestamp((min(id) >> 16) / 1000.0) FROM accounts WHERE domain = $1::text),
                             parvis_now()) END""",
        domain, list(status_ids),
    )
    return found


async def decide_domain(tx: Tx, by: int, draft: DomainDraft, version_id: int | None, order_id: int | None) -> int:
    """Write a decision about a server; the database checks that it stands and puts it on the public record."""
    return int(await tx.value(
        """INSERT INTO domain_decisions (block_id, domain, severity, level, reject_media, reject_reports, status_ids,
               article_version_id, legal_order_id, facts, ends_at, decided_by, review_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id""",
        draft.block_id, draft.domain, draft.severity, int(draft.level), draft.reject_media, draft.reject_reports,
        list(draft.status_ids), version_id, order_id, draft.facts.strip(), draft.ends_at, by, draft.review_at,
    ))


async def comment(tx: Tx, block_id: int, said: DomainComments) -> int:
    """Keep what is said of a block."""
    return await tx.run(
        """INSERT INTO domain_comments (block_id, private_comment, public_comment, obfuscate)
           VALUES ($1, $2, $3, coalesce($4, false)) ON CONFLICT (block_id) DO UPDATE SET
               private_comment = coalesce($2, domain_comments.private_comment),
               public_comment = coalesce($3, domain_comments.public_comment),
               obfuscate = coalesce($4, domain_comments.obfuscate)""",
        block_id, said.private_comment, said.public_comment, said.obfuscate,
    )


async def live_decisions(r: Read, block_id: int) -> list[int]:
    """The decisions of a block that are in force, or could come to be."""
    return await r.values(
        """SELECT d.id FROM domain_decisions d LEFT JOIN domain_measures m ON m.decision_id = d.id
           WHERE d.block_id = $1 AND m.lifted_at IS NULL AND (d.ends_at IS NULL OR d.ends_at > parvis_now())
             AND NOT EXISTS (SELECT FROM liftings l WHERE l.domain_decision_id = d.id)""",
        block_id,
    )


async def confirm_domain(tx: Tx, decision_id: int, moderator_id: int) -> int:
    """A second moderator agrees."""
    return await tx.run(
        "INSERT INTO domain_confirmations (decision_id, moderator_id) VALUES ($1, $2)", decision_id, moderator_id
    )


async def lift_domain(tx: Tx, decision_id: int, by: int, reasons: str) -> int:
    """Write down that a moderator ends a decision about a server."""
    return await tx.run(
        "INSERT INTO liftings (domain_decision_id, reasons, decided_by) VALUES ($1, $2, $3)", decision_id, reasons, by
    )


async def ready_domains(r: Read) -> list[int]:
    """Decisions about servers that may take effect now."""
    return await r.values(
        """SELECT d.id FROM domain_decisions d JOIN measure_kinds k ON k.level = d.level
           WHERE NOT EXISTS (SELECT FROM domain_measures m WHERE m.block_id = d.block_id AND m.decision_id >= d.id)
             AND ledger_receipt(d.leaf_id) AND (d.ends_at IS NULL OR d.ends_at > parvis_now())
             AND NOT EXISTS (SELECT FROM liftings l WHERE l.domain_decision_id = d.id)
             AND (k.moderators = 1 OR EXISTS (SELECT FROM domain_confirmations c
                                              WHERE c.decision_id = d.id AND ledger_receipt(c.leaf_id)))
           ORDER BY d.id LIMIT 100"""
    )


async def over_domains(r: Read) -> list[int]:
    """Measures on servers that must end: their time has come, another replaced them, or a moderator ends them."""
    return await r.values(
        """SELECT m.decision_id FROM domain_measures m
           WHERE m.lifted_at IS NULL AND (m.ends_at <= parvis_now() OR EXISTS (
                   SELECT FROM domain_measures n WHERE n.block_id = m.block_id AND n.decision_id > m.decision_id)
               OR EXISTS (SELECT FROM liftings l
                          WHERE l.domain_decision_id = m.decision_id AND ledger_receipt(l.leaf_id)))
           ORDER BY 1 LIMIT 100"""
    )


async def begin_domain(tx: Tx, decision_id: int) -> bool:
    """Let a decision about a server take effect. False: it already has."""
    return bool(await tx.run(
        "INSERT INTO domain_measures (decision_id) VALUES ($1) ON CONFLICT DO NOTHING", decision_id
    ))


async def end_domain(tx: Tx, decision_id: int) -> bool:
    """End a measure on a server. False: it had ended."""
    return bool(await tx.run(
        "UPDATE domain_measures SET lifted_at = parvis_now() WHERE decision_id = $1 AND lifted_at IS NULL", decision_id
    ))

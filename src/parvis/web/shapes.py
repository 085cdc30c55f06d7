"""Articles, proposals and register entries as templates want them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from parvis.ballots.majority import Mention
from parvis.charter.model import Article, Change, CharterVersion, Proposal, Tally
from parvis.ledger.model import Entry
from parvis.text.messages import words
from parvis.web.site import Visit

WRITTEN_IN = "fr"
ENDED = ("promulgated", "rejected", "lapsed")


def level(visit: Visit, number: int) -> dict[str, Any] | None:
    """A ceiling by its name; None where nothing can be ordered."""
    return {"level": number, "label": visit.say(words.LEVELS[number])} if number else None


def article(visit: Visit, row: Article) -> dict[str, Any]:
    """One version of an article, in English where there is a translation."""
    translated = row.text_en if visit.locale == "en" else None
    until = row.in_force_until
    return {
        "number": row.number, "title_roman": row.title, "heading": row.heading, "text": translated or row.text,
        "lang": "en" if translated else WRITTEN_IN, "heading_lang": WRITTEN_IN, "translated": bool(translated),
        "ceiling": level(visit, row.ceiling), "scope": visit.say(words.APPLIES[row.scope]),
        "in_force_from": row.in_force_from, "in_force_until": until, "provisional": row.provisional,
        "ended": until is not None and until <= visit.app.db.clock.now(),
        "versions_count": row.versions, "numbers": list(row.parameters.items()),
    }


def version(row: CharterVersion | None) -> dict[str, Any] | None:
    """One state of the charter."""
    return None if row is None else {"number": row.number, "adopted_at": row.adopted_at, "hash": row.hash}


def summary(visit: Visit, current: CharterVersion | None, rows: Sequence[Article], most: int) -> dict[str, Any] | None:
    """What the front page shows of the charter: how people behave, not how rules are made."""
    if current is None:
        return None
    first = [row for row in rows if row.ceiling > 0]
    return {"version": current.number, "articles": [article(visit, row) for row in first[:most]]}


def _pieces(before: str, after: str) -> list[tuple[str, str]]:
    old, new = re.split(r"(\s+)", before), re.split(r"(\s+)", after)
    pieces: list[tuple[str, str]] = []
    for op, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            pieces.append(("equal", "".join(old[a:b])))
            continue
        if b > a:
            pieces.append(("delete", "".join(old[a:b])))
        if d > c:
            pieces.append(("insert", "".join(new[c:d])))
    return pieces


def change(visit: Visit, row: Change) -> dict[str, Any]:
    """What two charters say differently of one article, word by word."""
    shown = row.after or row.before
    ceilings = [visit.say(words.LEVELS[side.ceiling]) for side in (row.before, row.after) if side]
    return {
        "article": {"number": row.number, "heading": shown.heading if shown else "", "lang": WRITTEN_IN},
        "before": row.before, "after": row.after,
        "ceilings": ceilings if len(set(ceilings)) == 2 else None,
        "pieces": _pieces(row.before.text if row.before else "", row.after.text if row.after else ""),
    }


def mentions(visit: Visit) -> list[tuple[str, str]]:
    """The six mentions, the best first: the word a form sends and the word people read."""
    named = zip(sorted(Mention, reverse=True), words.MENTIONS.values(), strict=True)
    return [(mention.name, visit.say(label)) for mention, label in named]


def option(visit: Visit, key: str) -> str:
    """What an option of a vote is called."""
    return visit.say(words.STATUS_QUO if key == "status_quo" else words.THIS_TEXT)


def tally(visit: Visit, row: Tally) -> dict[str, Any]:
    """The result of a closed vote, the best mention first."""
    labels = [label for _, label in mentions(visit)]
    return {
        "voters": row.voters, "quorum": row.quorum, "adopted": row.adopted, "winner_label": option(visit, row.winner),
        "options": [
            {"label": option(visit, result.option), "profile": list(reversed(result.profile)), "rank": result.rank,
             "median_label": labels[len(labels) - 1 - result.median]}
            for result in row.options
        ],
    }


def _timeline(visit: Visit, row: Proposal, now: datetime) -> list[dict[str, Any]]:
    def step(word: str, at: datetime | None, done: bool) -> dict[str, Any]:
        return {"label": visit.say(words.STEPS[word]), "at": at, "done": done}

    if row.state == "lapsed":
        return [step("support", row.created_at, True), step("lapsed", None, True)]
    voted = row.closes_at is not None and row.closes_at <= now
    steps = [step("support", row.created_at, row.state != "support"), step("vote", row.opens_at, voted)]
    if row.state == "rejected":
        return [*steps, step("rejected", row.closes_at, True)]
    promulgated = row.state == "promulgated"
    return [*steps, step("contest", row.closes_at, promulgated), step("promulgated", None, promulgated)]


def proposal(visit: Visit, row: Proposal, now: datetime) -> dict[str, Any]:
    """A proposal as everybody sees it."""
    state = row.state if row.state in words.STATES else "draft"
    return {
        "id": row.id, "title": row.title, "text": row.text, "state": row.state, "article": row.article,
        "state_label": visit.say(words.STATES[state]), "closes_at": row.closes_at if row.state == "vote" else None,
        "due_at": row.due_at, "support_count": row.support_count, "support_needed": row.support_needed,
        "ceiling": level(visit, row.ceiling), "scope": visit.say(words.APPLIES[row.scope]), "lang": WRITTEN_IN,
        "options": [{"key": key, "label": option(visit, key)} for key in row.options],
        "timeline": _timeline(visit, row, now), "charter_version": row.charter_version,
        "ended": row.state in ENDED, "numbers": list(row.parameters.items()),
    }


def entry(visit: Visit, row: Entry) -> dict[str, Any]:
    """A line of the public register in words."""
    said, shown = row.entry, {"index": row.index, "date": row.decided_at, "hash": row.leaf_hash, "signed": row.signed}
    ground = said.get("article")
    lines = {
        "decision": lambda: visit.say(words.LEVELS[said["level"]]),
        "appeal": lambda: visit.say(words.OUTCOMES.get(said.get("outcome", ""), words.KINDS["appeal"])),
        "proposal": lambda: visit.say(words.PROPOSAL_IS, state=visit.say(words.STATES[said["state"]])),
        "domain": lambda: visit.say(words.REVIEW_IS_DUE if "review_due" in said else words.KINDS["domain"]),
        "charter": lambda: visit.say(words.KINDS["charter"], number=said["version"]),
    }
    known = visit.say(words.KINDS[row.kind]) if row.kind in words.KINDS and row.kind != "charter" else row.kind
    return {
        **shown, "kind": known, "title": lines[row.kind]() if row.kind in lines else known,
        "ground": f"{ground} {said.get('heading', '')}".strip() if ground else said.get("reference"),
        "ground_url": f"/charter/articles/{ground}" if ground else None,
        "reason": said.get("reasons") or said.get("title"),
        "decision": said.get("decision"), "proposal": said.get("proposal"), "raw": said,
    }

"""The borders of the city, for moderators: examples, and what residents may not."""

from __future__ import annotations

import uuid
from typing import Any

from api.contract import covers
from api.test_contract_admin import severe
from api.test_contract_admin_domains import ADMIN, BLOCKS, OUTSIDE, stranger_at
from api.town import Caller, Town

PREVIEW, LISTS, PROPOSALS = f"{BLOCKS}/preview", f"{ADMIN}/domain_lists", f"{ADMIN}/domain_proposals"
HEAD = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n"


@covers(f"GET {PREVIEW}")
async def test_a_moderator_sees_whom_a_decision_would_cut_off(town: Town) -> None:
    mona, alice = await town.person("mona", "moderator"), await town.person("alice")
    domain = f"{uuid.uuid4().hex[:8]}.bad.example"
    none = {"following": 0, "followers": 0, "requests": 0, "people": 0, "accounts": 0, "statuses": 0, "media": 0}
    assert await mona.ask(None, "GET", f"{PREVIEW}?domain={domain}") == {"domain": domain, **none}
    stan, sub = await stranger_at(town, domain), await stranger_at(town, f"social.{domain}")
    follow = "INSERT INTO follows (account_id, target_id, accepted) VALUES ($1, $2, $3)"
    await town.owner.execute(follow, alice.account.id, stan, True)
    await town.owner.execute(follow, stan, alice.account.id, True)
    await town.owner.execute(follow, mona.account.id, sub, False)
    assert await mona.ask(None, "GET", f"{PREVIEW}?domain={domain.upper()}") == {
        "domain": domain, **none, "following": 1, "followers": 1, "requests": 1, "people": 2, "accounts": 2}
    assert (await alice.refusal("GET", f"{PREVIEW}?domain={domain}"))[0] == 403
    assert (await mona.refusal("GET", f"{PREVIEW}?domain=localhost"))[0] == 422
    assert (await mona.refusal("GET", PREVIEW))[0] == 400
    narrow = await town.with_scopes("read", "admin:read:accounts")
    assert (await narrow.refusal("GET", f"{PREVIEW}?domain={domain}"))[1] == OUTSIDE

def row(domain: str, severity: str = "suspend", media: bool = False, comment: str = "Spam") -> str:
    return f"{domain},{severity},{media},false,{comment},false\n"


async def proposed(mona: Caller, list_id: str) -> dict[str, Any]:
    """What a list proposes, by domain."""
    return {one["domain"]: one for one in await mona.ask(None, "GET", f"{PROPOSALS}?list_id={list_id}")}


@covers(f"GET {LISTS}", f"POST {LISTS}", f"PUT {LISTS}/{{id}}", f"DELETE {LISTS}/{{id}}", f"GET {PROPOSALS}",
        f"POST {PROPOSALS}/{{id}}/adopt", f"POST {PROPOSALS}/{{id}}/dismiss")
async def test_what_a_list_says_is_proposed_and_a_moderator_decides(town: Town) -> None:
    mona, alice, rule = await town.person("mona", "moderator"), await town.person("alice"), await severe(town)
    bad, loud, odd = (f"{uuid.uuid4().hex[:8]}.{kind}.example" for kind in ("bad", "loud", "odd"))
    made = await mona.ask(None, "POST", LISTS, json={
        "name": "Neighbours", "csv": HEAD + row(bad, "silence", media=True) + row(loud) + row(odd)})
    assert (made["proposals_count"], made["url"], made["failed"], made["account_id"]) == (3, None, None, str(mona.account.id))
    assert made["id"] in [one["id"] for one in await mona.ask(None, "GET", LISTS)]
    waiting = await proposed(mona, made["id"])
    assert {name: one["severity"] for name, one in waiting.items()} == {bad: "silence", loud: "suspend", odd: "suspend"}
    assert (waiting[bad]["reject_media"], waiting[bad]["comment"], waiting[bad]["standing"]) == (True, "Spam", None)
    await town.turn()
    known = [one["domain"] for one in await mona.ask("[Admin_DomainBlock]", "GET", BLOCKS)]
    assert not {bad, loud, odd} & set(known)  # a proposal is no order

    place = f"{PROPOSALS}/{waiting[bad]['id']}"
    refused = await mona.send("POST", f"{place}/adopt", json={"text": "They flood us."})
    assert (refused.status, refused.json()["rule"]) == (422, "ground_required")
    assert (await mona.refusal("POST", f"{place}/adopt", json={"article_ids": [rule]}))[1].endswith("can't be blank")
    block = await mona.ask("Admin_DomainBlock", "POST", f"{place}/adopt", json={"article_ids": [rule], "text": "They flood us."})
    assert (block["domain"], block["severity"], block["reject_media"], block["facts"]) == (bad, "silence", True, "They flood us.")
    assert (await mona.refusal("POST", f"{place}/adopt", json={"article_ids": [rule], "text": "Again."}))[0] == 404
    await town.turn()
    entries = (await town.stranger.ask(None, "GET", "/api/v1/register"))["entries"]
    assert "They flood us." in [entry["reasons"] for entry in entries if entry["kind"] == "domain"]

    aside = f"{PROPOSALS}/{waiting[loud]['id']}/dismiss"
    assert (await mona.refusal("POST", aside, json={}))[1].endswith("can't be blank")
    await mona.ask(None, "POST", aside, json={"text": "We saw nothing of that."})
    assert set(await proposed(mona, made["id"])) == {odd}

    again = f"{LISTS}/{made['id']}"
    assert (await mona.refusal("PUT", again, json={"csv": "<html></html>"}))[0] == 422
    assert set(await proposed(mona, made["id"])) == {odd}  # what cannot be read changes nothing
    same = await mona.ask(None, "PUT", again, json={"csv": HEAD + row(bad, "silence", media=True) + row(loud) + row(odd, "silence")})
    assert same["proposals_count"] == 1
    assert (await proposed(mona, made["id"]))[odd]["severity"] == "silence"  # it says something else of this one
    await mona.ask(None, "PUT", again, json={"csv": HEAD + row(loud)})  # the others are in it no more
    left = await proposed(mona, made["id"])
    assert {name: (one["severity"], one["standing"], one["domain_block_id"]) for name, one in left.items()} == {
        bad: ("lift", "silence", block["id"])}
    ended = await mona.ask("Admin_DomainBlock", "POST", f"{PROPOSALS}/{left[bad]['id']}/adopt", json={"text": "Nobody complains any more."})
    assert ended["id"] == block["id"]
    await town.turn()
    assert (await mona.refusal("GET", f"{BLOCKS}/{block['id']}"))[0] == 404

    await mona.ask(None, "PUT", again, json={"csv": HEAD + row(loud, "silence")})
    assert set(await proposed(mona, made["id"])) == {loud}
    for method, path in (("GET", LISTS), ("POST", LISTS), ("PUT", again), ("DELETE", again), ("GET", PROPOSALS), ("POST", aside)):
        assert (await alice.refusal(method, path, json={"name": "x", "csv": "x.example"}))[0] == 403
    narrow = await town.with_scopes("read", "write", "admin:read:domain_blocks")
    assert (await narrow.refusal("POST", LISTS, json={"name": "x", "csv": "x.example"}))[1] == OUTSIDE
    await mona.ask(None, "DELETE", again)
    assert await proposed(mona, made["id"]) == {}
    assert (await mona.refusal("DELETE", again))[0] == 404


@covers(f"POST {LISTS}")
async def test_a_list_has_one_source_and_is_read_once(town: Town) -> None:
    mona = await town.person("mona", "moderator")
    address = f"https://lists.example/{uuid.uuid4().hex}.csv"
    for wrong in ({"name": "Both", "url": address, "csv": "a.example"}, {"name": "None"}, {"name": "", "url": address},
                  {"name": "Plain", "url": address.replace("https", "http")}, {"name": "Empty", "csv": ""}):
        assert (await mona.refusal("POST", LISTS, json=wrong))[0] == 422
    made = await mona.ask(None, "POST", LISTS, json={"name": "Far", "url": address})
    assert (made["url"], made["read_at"], made["proposals_count"]) == (address, None, 0)
    assert (await mona.refusal("POST", LISTS, json={"name": "Far", "url": address}))[0] == 409
    told = await town.owner.fetchval("""SELECT count(*) FROM ledger_leaves
        WHERE kind = 'protection' AND convert_from(data, 'UTF8')::jsonb ->> 'address' = $1""", address)
    assert told == 1

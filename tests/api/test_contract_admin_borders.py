"""The borders of the city, for moderators: examples, and what residents may not."""

from __future__ import annotations

import uuid

from api.contract import covers
from api.test_contract_admin_domains import BLOCKS, OUTSIDE, stranger_at
from api.town import Town

PREVIEW = f"{BLOCKS}/preview"


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

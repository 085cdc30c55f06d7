"""What somebody is answered who posts is what they find when they look: whatever they wrote, and whether it was looked up."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.test_budget import Meter, meter
from conftest import Person, settle_in
from parvis.app import App

__all__ = ["meter"]
WORDS = ("une place", "#Banc", "#arbre", "#BANC", "https://exemple.fr/a?b=1", "@bela", "@nobody", ":blob:", ":none:", "12:30:15", "<b>&", "\n\n", "é👨‍👩‍👧")
WISHES = st.fixed_dictionaries({"status": st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(lambda words: "x " + " ".join(words))}, optional={
    "visibility": st.sampled_from(["public", "unlisted", "private", "direct"]), "spoiler_text": st.sampled_from(["", "Gare :blob:", "Attention"]),
    "sensitive": st.booleans(), "language": st.sampled_from(["fr", "en", "pt-BR"]), "local_only": st.booleans(),
    "reply_policy": st.sampled_from(["public", "followers", "nobody"]), "quote_approval_policy": st.sampled_from(["public", "followers", "nobody"]),
})


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wish=WISHES)
async def test_the_answer_is_what_a_look_shows(app: App, alice: Person, owner: asyncpg.Connection[Any], wish: dict[str, Any]) -> None:
    await owner.execute(
        """INSERT INTO custom_emojis (shortcode, file, static_file)
           SELECT 'blob', 'e.png', 'e.png' WHERE NOT EXISTS (SELECT FROM custom_emojis)""")
    await owner.execute(
        """WITH made AS (INSERT INTO applications (client_id, client_secret_hash, name, website, redirect_uris, scopes)
                         SELECT 'pencil', '', 'Pencil', 'https://pencil.example', '{}', '{}'
                         WHERE NOT EXISTS (SELECT FROM applications) RETURNING id)
           UPDATE tokens SET application_id = made.id FROM made WHERE tokens.account_id = $1""", alice.account.id)
    said = await alice.post("/api/v1/statuses", json=wish)
    assert said.status == 200, said.text
    assert said.json()["application"] == {"name": "Pencil", "website": "https://pencil.example"}
    assert said.json() == (await alice.get(f"/api/v1/statuses/{said.json()['id']}")).json()


async def test_a_plain_post_costs_no_look_and_others_one(app: App, alice: Person, meter: Meter) -> None:
    me = await settle_in(meter.app, "carol")

    async def sent(wish: dict[str, Any]) -> list[str]:
        meter.sent.clear()
        said = await me.post("/api/v1/statuses", json=wish)
        assert said.status == 200, said.text
        found = list(meter.sent)
        assert said.json() == (await me.get(f"/api/v1/statuses/{said.json()['id']}")).json()
        return found

    await sent({"status": "the first puts cards on the shelf #place"})
    plain = await sent({"status": "so this one is known #place"})
    assert len(plain) == 6, plain  # the token, the author, BEGIN, the post, what is left for last, COMMIT
    assert len(await sent({"status": "a new #hashtag is made"})) > len(plain)
    said = await me.post("/api/v1/statuses", json={"status": "first"})
    assert len(await sent({"status": "an answer", "in_reply_to_id": said.json()["id"]})) > len(plain)
    assert (await me.post("/api/v2/filters", json={"title": "t", "context": ["home"], "keywords_attributes": [{"keyword": "bruit"}]})).status == 200
    filtered = await me.post("/api/v1/statuses", json={"status": "du bruit"})
    assert filtered.json()["filtered"] == (await me.get(f"/api/v1/statuses/{filtered.json()['id']}")).json()["filtered"] != []


async def test_many_posts_at_once_are_each_made_once_and_the_wrong_ones_refused(app: App, alice: Person) -> None:
    wishes = [{"status": f"number {number} #tag{number % 3}"} if number % 4 else {"status": ""} for number in range(24)]
    answers = await asyncio.gather(*(alice.post("/api/v1/statuses", json=wish) for wish in wishes))
    assert [answer.status for answer in answers] == [200 if wish["status"] else 422 for wish in wishes]
    made = {answer.json()["id"]: answer.json()["content"] for answer in answers if answer.status == 200}
    me = (await alice.get("/api/v1/accounts/verify_credentials")).json()
    listed = (await alice.get(f"/api/v1/accounts/{me['id']}/statuses?limit=40")).json()
    assert {one["id"]: one["content"] for one in listed} == made
    assert me["statuses_count"] == len(made) == 18

"""The security rules between servers, each under its number in the design: what a hostile server tries, and what is meant well.

Rules 10 to 17, and 19, of which the doors of this city's own people are the subject, stand in test_rules_of_safety_within.py; 21 to 23, of
what is kept, in test_rules_of_safety_keeping.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import msgspec
import pytest

from cities.harness import Cities, City, key_pair
from cities.test_follow import following, relation
from cities.test_hostile import NORD, create, note, refusals
from cities.test_posts import arrived, friends
from parvis.accounts import actions as accounts
from parvis.accounts import queries as people
from parvis.accounts.model import Account
from parvis.base.errors import Upstream
from parvis.base.http import Address, Wire
from parvis.federation import fetch, wire
from parvis.federation.jsonld import MAX_BYTES
from parvis.federation.vocabulary import PUBLIC
from parvis.statuses import actions as statuses
from parvis.statuses import queries as posts

KIND = "application/activity+json"
FAUX = "https://faux.example"


class Faux:
    """A hostile server: it answers what it was told to answer, and remembers what it was asked."""

    def __init__(self, cities: Cities, host: str = "faux.example") -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        cities.network.hosts[host] = self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        target = scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        self.asked.append(target)
        status, headers, body = self.answer(target)
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body})

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        return self.pages.get(target, (404, {}, b""))

    def say(self, path: str, document: Mapping[str, Any] | bytes, kind: str = KIND) -> None:
        body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        self.pages[path] = (200, {"content-type": kind}, body)

    def send_to(self, path: str, where: str) -> None:
        self.pages[path] = (302, {"location": where}, b"")

    def settle(self, who: str, **more: Any) -> dict[str, Any]:
        """Somebody lives there: their document, and what WebFinger says of them."""
        uri = f"{FAUX}/{who}"
        made = {
            "id": uri, "type": "Person", "preferredUsername": who, "inbox": f"{uri}/inbox", "followers": f"{uri}/followers",
            "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": key_pair(len(who) % 4)[1]}, **more,
        }
        self.say(f"/{who}", made)
        self.finger(who, f"acct:{who}@faux.example", uri)
        return made

    def finger(self, name: str, subject: str, uri: str, handle: str = "") -> None:
        found = {"subject": subject, "links": [{"rel": "self", "type": KIND, "href": uri}]}
        self.say(f"/.well-known/webfinger?resource=acct:{handle or f'{name}@faux.example'}", found, "application/jrd+json")


def someone(document: Mapping[str, Any]) -> Account:
    """Who signs as the actor of a document would."""
    blank = {field.name: None for field in msgspec.structs.fields(Account)}
    return Account(**(blank | {"uri": document["id"], "username": document["preferredUsername"]}))


POSTS = "SELECT count(*) FROM statuses WHERE reblog_of_id IS NULL"


async def stands(city: City, sql: str, *args: Any) -> int:
    return int(await city.value(sql, *args))


@pytest.mark.shows("FEP-fe34")
async def test_rule_01_an_id_is_believed_only_where_its_own_host_says_so(cities: Cities, nord: City, sued: City) -> None:
    """1: the id's host is that of the address fetched, after redirects; another id is asked for, and must then match exactly."""
    bela = await sued.person("bela")
    said = await sued.post(bela, "De Süd")
    faux = Faux(cities)
    genuine = msgspec.json.decode((await cities.get(bela.uri)).body)
    stolen = genuine | {"publicKey": genuine["publicKey"] | {"publicKeyPem": key_pair(1)[1]}}
    faux.say("/stolen", stolen)
    faux.send_to("/way", f"{FAUX}/stolen")
    faux.say("/one", {"id": f"{FAUX}/two", "type": "Note", "attributedTo": f"{FAUX}/eve", "content": "?"})
    faux.say("/two", {"id": f"{FAUX}/one", "type": "Note", "attributedTo": f"{FAUX}/eve", "content": "?"})
    for address in (f"{FAUX}/stolen", f"{FAUX}/way"):
        found = await fetch.actor(nord.job, address, fresh=True)
        assert (found.uri, found.public_key == key_pair(1)[1]) == (bela.uri, False)
    with pytest.raises(Upstream, match="wrong_id"):
        await wire.document(nord.job, f"{FAUX}/one")
    assert await fetch.resolve(nord.job, f"{FAUX}/two") is None
    found_post = await fetch.resolve(nord.job, said.url or "")
    assert found_post is not None
    assert found_post.uri == said.uri


OTHER_KINDS = ["application/json", "text/html", "application/ld+json", "image/png", "", "application/activity+json-x"]
PROFILED = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


async def test_rule_02_a_file_is_no_statement_whatever_stands_in_it(cities: Cities, nord: City, sued: City) -> None:
    """2: only ActivityPub's content types are taken for statements; our own files are never read as such, nor served as such."""
    faux = Faux(cities)
    eve = faux.settle("eve")
    for number, kind in enumerate((*OTHER_KINDS, KIND, PROFILED)):
        faux.say(f"/{number}", note(someone(eve), "x") | {"id": f"{FAUX}/{number}"}, kind)
        assert (await fetch.resolve(nord.job, f"{FAUX}/{number}") is None) == (kind in OTHER_KINDS), kind
    name = "statuses/abcdefghijklmnop.png"
    alice = await nord.person("alice")
    forged = note(alice, "1") | {"id": f"https://nord.example/media/{name}"}
    await nord.job.files.put(name, msgspec.json.encode(forged))
    cities.network.log.clear()
    assert await fetch.resolve(nord.job, forged["id"]) is None
    assert cities.network.log == []
    shown = await cities.get(forged["id"])
    assert (shown.status, shown.headers["content-type"], shown.headers["x-content-type-options"]) == (200, "image/png", "nosniff")
    assert await fetch.resolve(sued.job, forged["id"]) is None


@pytest.mark.shows("FEP-fe34")
async def test_rule_03_the_key_the_actor_the_object_and_its_author_are_one(cities: Cities, nord: City, sued: City) -> None:
    """3: the key's owner is the actor; actor, object and author share a host, also when the object is fetched."""
    alice, bela = await friends(cities, nord, sued)
    chloe = await sued.person("chloe")
    await nord.meet("chloe@sued.example")
    as_bela = create(bela, note(bela, "1", (alice.uri,)))
    assert (await cities.deliver(NORD, as_bela, bela, key=key_pair(len(chloe.username) % 4)[0])).status == 401
    assert (await cities.deliver(NORD, as_bela, chloe)).status == 401  # a neighbour of the same server, with her own key
    faux = Faux(cities)
    eve = someone(faux.settle("eve"))
    faux.say("/1", note(bela, "1") | {"id": f"{FAUX}/1"})
    assert await fetch.resolve(nord.job, f"{FAUX}/1") is None
    for name, key in (("mallory", {"owner": bela.uri}), ("trudy", {"id": f"{bela.uri}#main-key"})):
        made = faux.settle(name)
        faux.settle(name, publicKey=made["publicKey"] | key)
        assert (await fetch.actor(nord.job, made["id"])).public_key is None
    named = {"id": f"{FAUX}/a", "type": "Create", "actor": eve.uri, "to": [alice.uri], "object": f"{FAUX}/1"}
    await cities.deliver(NORD, named, eve)
    await cities.settle()
    assert "wrong_author" in await refusals(nord)
    assert await stands(nord, POSTS) == 0
    assert (await cities.deliver(NORD, as_bela, bela)).status == 202
    await cities.settle()
    assert await stands(nord, POSTS) == 1


@pytest.mark.shows("FEP-fe34")
async def test_rule_04_what_is_written_out_of_others_is_only_a_hint(cities: Cities, nord: City, sued: City, ost: City) -> None:
    """4: an embedded object is used if it is the signer's own; anything else is fetched from whom it belongs to."""
    _alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    said = await ost.post(chloe, "Mes mots")
    false = note(chloe, "1", content="<p>Faux</p>") | {"id": said.uri}
    boost = {"id": f"{bela.uri}/boost", "type": "Announce", "actor": bela.uri, "object": false, "to": [PUBLIC]}
    await cities.deliver(NORD, boost, bela)
    own = note(bela, "2", content="<p>Les miens</p>")
    await cities.settle()
    cities.network.log.clear()
    await cities.deliver(NORD, create(bela, own), bela)
    await cities.settle()
    assert (await arrived(nord, said)).content == said.content
    assert await nord.value("SELECT content FROM statuses WHERE uri = $1", own["id"]) == "<p>Les miens</p>"
    assert [url for _, url, _ in cities.network.log if own["id"] in url] == []


async def test_rule_05_a_signature_inside_a_document_proves_nothing(cities: Cities, nord: City, sued: City, ost: City) -> None:
    """5: there are no linked-data signatures; `@graph`, `@included`, `@reverse` say nothing, and no context is ever fetched."""
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    sealed = {"type": "RsaSignature2017", "creator": f"{bela.uri}#main-key", "created": "2026-01-01T00:00:00Z", "signatureValue": "eA=="}
    signed = create(bela, note(bela, "1", (alice.uri,))) | {"signature": sealed}
    assert (await cities.deliver(NORD, signed, chloe)).status == 401
    hidden = create(bela, note(bela, "2", (alice.uri,)))
    assert (await cities.deliver(NORD, {"@context": "https://faux.example/context", "@graph": [hidden]}, bela)).status == 400
    for name in ("@graph", "@included", "@reverse"):
        harmless = {"id": f"{bela.uri}#{name}", "type": "Flag", "actor": bela.uri, name: [hidden]}
        assert (await cities.deliver(NORD, harmless, bela)).status == 202
    await cities.settle()
    assert await stands(nord, POSTS) == 0
    faux = Faux(cities)
    plain = {"@context": [f"{FAUX}/context", {"x": f"{FAUX}/x#"}], **create(bela, note(bela, "3", (alice.uri,))), "signature": sealed}
    await cities.deliver(NORD, plain, bela)
    await cities.settle()
    assert (await stands(nord, POSTS), faux.asked) == (1, [])


INNER = ["10.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "[::10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::1]", "[2001:0:a00:1::]", "100.64.0.1"]


async def test_rule_06_nobody_makes_us_look_inside_our_own_network(cities: Cities, nord: City, sued: City) -> None:
    """6: every address of a name is looked at, at every hop, in every wrapping; names of inner networks are not even asked for.

    That nothing else speaks to the network is held by tests/unit/test_house.py.
    """
    alice, bela = await friends(cities, nord, sued)
    cities.network.log.clear()
    for number, host in enumerate(INNER):
        uri = f"https://{host}/eve"
        made = {"id": f"{uri}/{number}", "type": "Follow", "actor": uri, "object": alice.uri}
        eve = someone({"id": uri, "preferredUsername": "eve"})
        assert (await cities.deliver(NORD, made, eve)).status == 202
    faux = Faux(cities)
    faux.send_to("/way", "https://169.254.169.254/latest")
    await cities.settle()
    assert await refusals(nord) == ["address_refused"] * len(INNER)
    assert await fetch.resolve(nord.job, f"{FAUX}/way") is None
    assert {url.split("/")[2] for _, url, _ in cities.network.log} <= {"nord.example", "sued.example", "faux.example"}

    async def resolved(host: str) -> list[Address]:
        assert not host.endswith((".onion", ".i2p"))
        return [ip_address(one) for one in ("193.0.6.139", *(["10.0.0.1"] if host.startswith("two") else []))]

    for host in ("two.example", "eve.onion", "eve.i2p"):
        with pytest.raises(Upstream, match="address_refused"):
            await Wire(resolved, ()).resolve(host)
    assert [one["host"] for one in await Wire(resolved, ()).resolve("one.example")] == ["193.0.6.139"]
    await cities.deliver(NORD, create(bela, note(bela, "1", (alice.uri,))), bela)
    await cities.settle()
    assert await stands(nord, POSTS) == 1


class Hydra(Faux):
    """Each post it shows answers another, quotes a third, and names five strangers who each must be asked for."""

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        name = target.removeprefix("/")
        if target in self.pages or not name.startswith("p"):
            return super().answer(target)
        names = [f"{name}-{number}" for number in range(5)]
        for one in (*(f"s{stranger}" for stranger in names), f"a{name}"):
            self.settle(one)
        people_named = [f"{FAUX}/s{one}" for one in names]
        shown = {
            "id": FAUX + target, "type": "Note", "attributedTo": f"{FAUX}/a{name}", "content": "<p>Encore</p>",
            "to": [PUBLIC, *people_named], "inReplyTo": f"{FAUX}/{name}r", "quote": f"{FAUX}/{name}q",
            "replies": {"type": "Collection", "items": [f"{FAUX}/{name}x{number}" for number in range(40)]},
            "tag": [{"type": "Mention", "href": one} for one in people_named],
        }
        return 200, {"content-type": KIND}, msgspec.json.encode(shown)


async def test_rule_07_one_message_costs_so_many_requests_and_no_more(cities: Cities, nord: City, sued: City) -> None:
    """7: redirects end, one activity makes us ask only so much, and size and depth have limits.

    Time and bytes on the real wire: tests/unit/test_http.py.
    """
    alice, bela = await friends(cities, nord, sued)
    hydra = Hydra(cities)
    hydra.send_to("/round", f"{FAUX}/and")
    hydra.send_to("/and", f"{FAUX}/round")
    assert await fetch.resolve(nord.job, f"{FAUX}/round") is None
    assert len(hydra.asked) <= 4
    hydra.say("/large", b'{"id":"' + b"x" * MAX_BYTES)
    assert await fetch.resolve(nord.job, f"{FAUX}/large") is None
    hydra.asked.clear()
    deep: Any = "x"
    for _ in range(21):
        deep = [deep]
    assert (await cities.deliver(NORD, create(bela, note(bela, "d", tag=deep)), bela)).status == 400
    reply = note(bela, "1", (alice.uri,), inReplyTo=f"{FAUX}/p", quote=f"{FAUX}/pq")
    await cities.deliver(NORD, create(bela, reply), bela)
    await cities.settle()
    assert 20 < len(hydra.asked) <= fetch.REQUESTS
    assert await stands(nord, f"{POSTS} AND uri = $1", reply["id"]) == 1
    assert await refusals(nord) == []
    second = await sued.post(bela, "Deux", reply_to=await sued.post(bela, "Un"))
    third = await sued.post(bela, "Trois", reply_to=second)
    await cities.settle()
    assert (await arrived(nord, third)).in_reply_to_id == (await arrived(nord, second)).id


LONG, LONGER = "é" * 12_000, "é" * 25_000
LONGEST = """SELECT coalesce(max(octet_length({column}::text)), 0) FROM {table}"""


COLUMNS = "SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1"


async def longest(city: City, *tables: str) -> dict[str, int]:
    """How many bytes the longest value of each column of some tables has."""
    found: dict[str, int] = {}
    for table in tables:
        async with city.db.read() as read:
            for column in await read.values(COLUMNS, table):
                size = int(await read.value(LONGEST.format(column=column, table=table)))
                found[column] = max(found.get(column, 0), size)
    return found


async def test_rule_08_nothing_that_another_server_says_is_longer_than_we_allow(cities: Cities, nord: City, sued: City) -> None:
    """8: every property has a limit; what is too long is cut or left away. Of our own people's words: the other file."""
    alice, bela = await friends(cities, nord, sued)
    faux = Faux(cities)
    eve = faux.settle("eve")
    far = f"{FAUX}/{'x' * 3_000}"
    rows = [{"type": "PropertyValue", "name": LONG, "value": LONG}] * 10
    faux.settle(
        "eve", name=LONG, summary=LONGER, url=far, icon={"url": far}, image={"url": far}, alsoKnownAs=[far] * 20, featured=far,
        attachment=rows, attributionDomains=[LONG], outbox=far, following=far, published=LONG,
        publicKey=eve["publicKey"] | {"publicKeyPem": eve["publicKey"]["publicKeyPem"] + LONG},
    )
    met = await fetch.actor(nord.job, eve["id"])
    files = [{"type": "Document", "mediaType": LONG, "url": f"{FAUX}/f", "name": LONG, "blurhash": LONG}] * 6
    tags = [{"type": "Hashtag", "name": LONG}, {"type": "Hashtag", "name": "#court"}, *[{"type": "Mention", "href": far}] * 20]
    said = note(
        bela, "1", (alice.uri, LONG), content=f"<p>{LONGER * 5}</p>", summary=LONGER, url=far, tag=tags, attachment=files, inReplyTo=far,
        contentMap={LONG: LONG}, type="Question", oneOf=[{"name": LONG}, {"name": "b"}], interactionPolicy={"canQuote": {"always": [LONG]}},
    )
    for too_long in (f"{bela.uri}/{'x' * 3_000}", f"{bela.uri}/{'é' * 1_500}"):
        await cities.deliver(NORD, create(bela, note(bela, "2", (alice.uri,)) | {"id": too_long}), bela)
    await cities.deliver(NORD, create(bela, said), bela)
    await cities.settle()
    assert await stands(nord, POSTS) == 1
    assert await stands(nord, "SELECT count(*) FROM inbox_items") == 0
    found = await longest(nord, "accounts", "statuses", "media", "polls", "poll_options", "quotes", "peers")
    del found["private_key_sealed"]  # our own people's
    assert found.pop("fields") <= 10 * 2 * 2 * 2_100
    assert found.pop("content") <= 2 * 100_100
    assert found.pop("note") <= 2 * 20_100
    assert found.pop("description") <= 2 * 10_000
    assert max(found.values()) <= 2 * 2_048, found
    assert await nord.value("SELECT max(octet_length(name)) FROM tags") < 500
    assert (met.public_key, await nord.value("SELECT array_agg(name) FROM tags")) == (None, ["court"])
    faux.settle("eve")
    assert (await fetch.actor(nord.job, eve["id"], fresh=True)).public_key == eve["publicKey"]["publicKeyPem"]


async def test_rule_09_who_is_suspended_comes_back_by_no_way(cities: Cities, nord: City, sued: City, ost: City) -> None:
    """9: a suspension holds when something comes in, by whoever's hand, and when anything is shown."""
    alice, bela = await friends(cities, nord, sued)
    chloe = await ost.person("chloe")
    await following(cities, nord, alice, ost, chloe)
    old, other = await sued.post(bela, "Avant"), await sued.post(await sued.person("dora"), "Autre")
    await cities.settle()
    known, later = await nord.meet("bela@sued.example"), []
    await nord.as_owner("UPDATE accounts SET suspended_at = now() WHERE id = $1", known.id)
    for text in ("Un", "Deux", "Trois"):
        later.append(await sued.post(bela, text))
    await cities.settle()
    carried = [old.uri, later[0].uri, other.uri]
    for number, uri in enumerate(carried):
        boost = {"id": f"{chloe.uri}/boost{number}", "type": "Announce", "actor": chloe.uri, "object": uri, "to": [PUBLIC]}
        await cities.deliver(NORD, boost, chloe)
    reply = note(chloe, "r", inReplyTo=later[1].uri, quote=later[2].uri)
    await cities.deliver(NORD, create(chloe, reply), chloe)
    await cities.settle()
    assert await fetch.resolve(nord.job, later[1].uri) is None
    assert [await nord.copy(one) is None for one in later] == [True, True, True]
    assert await stands(nord, "SELECT count(*) FROM statuses WHERE reblog_of_id IS NOT NULL") == 1  # of the other one's
    assert await nord.value("SELECT in_reply_to_id FROM statuses WHERE uri = $1", reply["id"]) is None
    assert await nord.look(posts.seen, (await arrived(nord, old)).id, alice.id) is None
    mine = await nord.post(alice, "Chez moi")
    await nord.do(statuses.pin, alice, mine.id)
    pinned = f"{alice.uri}/collections/featured"
    assert len(msgspec.json.decode((await cities.get(pinned)).body)["orderedItems"]) == 1
    await nord.as_owner("UPDATE accounts SET suspended_at = now() WHERE id = $1", alice.id)
    assert [(await cities.get(url)).status for url in (pinned, alice.uri, mine.uri)] == [403, 403, 403]
    await nord.as_owner("UPDATE accounts SET suspended_at = NULL WHERE id = $1", known.id)
    again = await sued.post(bela, "Après")
    await cities.settle()
    assert await nord.copy(again) is not None


async def test_rule_18_only_who_was_accepted_reads_what_is_for_followers(cities: Cities, nord: City, sued: City) -> None:
    """18: a follow that nobody accepted shows nothing, although the post is here; a Reject takes effect at once."""
    alice, emil, dora = await nord.person("alice"), await nord.person("emil"), await sued.person("dora", locked=True)
    dora_in_nord, alice_in_sued = await following(cities, nord, alice, sued, dora)
    await sued.do(accounts.accept_follow, dora, alice_in_sued)
    await cities.settle()
    await following(cities, nord, emil, sued, dora)
    made = await nord.look(people.follow_between, emil.id, dora_in_nord.id)
    assert made is not None
    follow = {"id": f"{emil.uri}#follows/{made.id}", "type": "Follow", "actor": emil.uri, "object": dora.uri}
    chloe = await sued.person("chloe")
    for forged in (follow, follow["id"]):
        await cities.deliver(NORD, {"id": f"{chloe.uri}#a{len(forged)}", "type": "Accept", "actor": chloe.uri, "object": forged}, chloe)
    said = await sued.post(dora, "Entre amis", "private")
    await cities.settle()
    copy = await arrived(nord, said)
    assert await relation(nord, emil, dora_in_nord) == "waits"
    assert (await nord.look(posts.seen, copy.id, alice.id), await nord.look(posts.seen, copy.id, emil.id)) == (copy, None)
    await sued.do(accounts.reject_follow, dora, alice_in_sued)
    await cities.settle()
    assert await relation(nord, alice, dora_in_nord) == "none"
    assert await nord.look(posts.seen, copy.id, alice.id) is None


@pytest.mark.shows("WebFinger")
async def test_rule_20_a_handle_belongs_to_whom_it_leads_back_to(cities: Cities, nord: City, sued: City) -> None:
    """20: WebFinger's subject and the actor must lead to each other; it is followed over one redirect at most."""
    bela = await sued.person("bela")
    faux = Faux(cities)
    eve = faux.settle("eve")
    faux.finger("eve", "acct:bela@sued.example", eve["id"])  # hers, she says, is the other one's name
    assert await fetch.resolve(nord.job, "eve@faux.example") is None
    assert await fetch.resolve(nord.job, eve["id"]) is None
    faux.finger("eve", "acct:eve@faux.example", bela.uri)
    assert await fetch.resolve(nord.job, eve["id"]) is None
    faux.finger("eve", "acct:alice@nord.example", eve["id"])
    assert await fetch.resolve(nord.job, eve["id"]) is None
    assert await stands(nord, "SELECT count(*) FROM accounts WHERE uri = $1", eve["id"]) == 0
    own = "/.well-known/webfinger?resource=acct:eve@faux.example"
    faux.settle("eve")
    faux.pages["/finger"] = faux.pages[own]
    faux.send_to("/hop", f"{FAUX}/finger")
    faux.send_to(own, f"{FAUX}/hop")
    assert await fetch.resolve(nord.job, "eve@faux.example") is None
    faux.send_to(own, f"{FAUX}/finger")
    found = await fetch.resolve(nord.job, "eve@faux.example")
    assert isinstance(found, Account)
    assert (found.uri, found.acct) == (eve["id"], "eve@faux.example")

"""Every operation works, answers in Mastodon's shapes, and has an effect that another operation shows.

The examples of each subject stand in a file of their own, `test_contract_*.py`; here are those of the first slice.
"""

from __future__ import annotations

import importlib
import uuid
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from api.contract import COVERED, covers
from api.facts import faults
from api.town import A, Caller, S, Town, picture
from parvis.api.operations import OPERATIONS
from parvis.residency import actions as residency


def test_every_operation_has_an_example() -> None:
    for path in Path(__file__).parent.glob("test_contract_*.py"):
        importlib.import_module(f"api.{path.stem}")
    from_elsewhere = {"POST /oauth/token", "POST /oauth/revoke", "POST /api/v1/accounts"}  # test_access.py
    assert COVERED | from_elsewhere == {operation.name for operation in OPERATIONS}


@covers(f"GET {A}/verify_credentials", f"PATCH {A}/update_credentials", f"GET {A}/{{id}}", f"GET {A}",
        f"GET {A}/lookup", f"GET {A}/search", "DELETE /api/v1/profile/avatar", "DELETE /api/v1/profile/header",
        "GET /api/v1/preferences", "GET /oauth/userinfo")
async def test_a_profile_is_changed_and_shown_to_all(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    me = await alice.ask("CredentialAccount", "GET", f"{A}/verify_credentials")
    number, handle = me["id"], me["acct"]
    for field, file in (("avatar", picture()), ("header", picture(300, 100))):
        edge = "x7"
        body = (f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="f.png"\r\nContent-Type: image/png\r\n\r\n'
                ).encode() + file + f"\r\n--{edge}--\r\n".encode()
        sent = await alice.call("PATCH", f"{A}/update_credentials", body=body,
                                headers={"content-type": f"multipart/form-data; boundary={edge}"})
        assert sent.status == 200, sent.text
        shown = await bela.ask("Account", "GET", f"{A}/{number}")
        assert shown[field] != me[field]
        assert (await bela.get(shown[field].removeprefix("http://localhost"))).status == 200
        assert (await alice.ask("CredentialAccount", "DELETE", f"/api/v1/profile/{field}"))[field] == me[field]
    await alice.ask("CredentialAccount", "PATCH", f"{A}/update_credentials", form={
        "display_name": "Alice A.", "note": "Gardener\n#green", "locked": "true", "bot": "0", "discoverable": "on",
        "fields_attributes[0][name]": "Web", "fields_attributes[0][value]": "https://example.org",
        "source[privacy]": "unlisted", "source[language]": "de", "source[sensitive]": "1",
    })
    for shown in (
        await town.stranger.ask("Account", "GET", f"{A}/{number}"),
        (await town.stranger.ask("[Account]", "GET", f"{A}?id[]={number}&id[]=12"))[0],
        await town.stranger.ask("Account", "GET", f"{A}/lookup?acct=@{handle}@localhost"),
        (await bela.ask("[Account]", "GET", f"{A}/search?q={handle}"))[0],
    ):
        assert (shown["display_name"], shown["locked"], shown["bot"], shown["discoverable"]) == ("Alice A.", True, False, True)
        assert shown["fields"][0]["name"] == "Web"
        assert 'href="https://example.org"' in shown["fields"][0]["value"]
        assert "/tags/green" in shown["note"]
    mine = await alice.ask("CredentialAccount", "GET", f"{A}/verify_credentials")
    assert (mine["source"]["note"], mine["source"]["fields"][0]["value"]) == ("Gardener\n#green", "https://example.org")
    wanted = await alice.ask("Preferences", "GET", "/api/v1/preferences")
    assert (wanted["posting:default:visibility"], wanted["posting:default:language"]) == ("unlisted", "de")
    said = await alice.say()
    assert (said["visibility"], said["language"], said["sensitive"]) == ("unlisted", "de", True)
    who = await alice.ask(None, "GET", "/oauth/userinfo")
    assert (who["preferred_username"], who["sub"], who["name"]) == (handle, me["uri"], "Alice A.")


@covers(f"POST {A}/{{id}}/follow", f"POST {A}/{{id}}/unfollow", f"GET {A}/relationships", f"GET {A}/{{id}}/followers",
        f"GET {A}/{{id}}/following", f"GET {A}/familiar_followers", f"POST {A}/{{id}}/remove_from_followers",
        f"POST {A}/{{id}}/note")
async def test_following_shows_on_both_sides(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    a, b, c = (one.account.id for one in (alice, bela, carol))
    made = await alice.ask("Relationship", "POST", f"{A}/{b}/follow", form={"notify": "true", "reblogs": "false", "languages[]": "fr"})
    assert (made["following"], made["notifying"], made["showing_reblogs"], made["languages"]) == (True, True, False, ["fr"])
    await bela.ask("Relationship", "POST", f"{A}/{c}/follow")
    rows = await alice.ask("[Relationship]", "GET", f"{A}/relationships?id[]={b}&id[]=4&id[]={c}")
    assert {row["id"]: row["following"] for row in rows} == {str(b): True, str(c): False}
    assert (await bela.ask("[Relationship]", "GET", f"{A}/relationships?id={a}"))[0]["followed_by"] is True
    assert [row["id"] for row in await town.stranger.ask("[Account]", "GET", f"{A}/{b}/followers")] == [str(a)]
    assert [row["id"] for row in await town.stranger.ask("[Account]", "GET", f"{A}/{b}/following")] == [str(c)]
    known = await alice.ask("[FamiliarFollowers]", "GET", f"{A}/familiar_followers?id[]={c}")
    assert [(row["id"], [one["id"] for one in row["accounts"]]) for row in known] == [(str(c), [str(b)])]
    assert (await town.stranger.ask("Account", "GET", f"{A}/{b}"))["followers_count"] == 1
    await bela.ask(None, "PATCH", f"{A}/update_credentials", json={"hide_collections": True})
    assert await alice.ask("[Account]", "GET", f"{A}/{b}/followers") == []
    assert len(await bela.ask("[Account]", "GET", f"{A}/{b}/followers")) == 1
    assert (await alice.ask("Relationship", "POST", f"{A}/{b}/note", json={"comment": "From the market"}))["note"] == "From the market"
    assert (await bela.ask("Relationship", "POST", f"{A}/{a}/remove_from_followers"))["followed_by"] is False
    await bela.ask("Relationship", "POST", f"{A}/{c}/unfollow")
    rows = await alice.ask("[Relationship]", "GET", f"{A}/relationships?id[]={b}")
    assert (rows[0]["following"], rows[0]["note"]) == (False, "From the market")
    assert await bela.ask("[Account]", "GET", f"{A}/{b}/following") == []


@covers("GET /api/v1/follow_requests", "POST /api/v1/follow_requests/{id}/authorize", "POST /api/v1/follow_requests/{id}/reject")
async def test_a_locked_account_lets_in_whom_it_wants(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    a, b, c = (one.account.id for one in (alice, bela, carol))
    await alice.ask(None, "PATCH", f"{A}/update_credentials", json={"locked": True})
    said = await alice.say("For followers", visibility="private")
    for one in (bela, carol):
        made = await one.ask("Relationship", "POST", f"{A}/{a}/follow")
        assert (made["requested"], made["following"]) == (True, False)
    assert {n["type"] for n in await alice.ask("[Notification]", "GET", "/api/v1/notifications")} == {"follow_request"}
    assert (await alice.ask("CredentialAccount", "GET", f"{A}/verify_credentials"))["source"]["follow_requests_count"] == 2
    assert [row["id"] for row in await alice.ask("[Account]", "GET", "/api/v1/follow_requests")] == [str(c), str(b)]
    assert (await alice.ask("Relationship", "POST", f"/api/v1/follow_requests/{b}/authorize"))["followed_by"] is True
    assert (await alice.ask("Relationship", "POST", f"/api/v1/follow_requests/{c}/reject"))["requested_by"] is False
    assert await alice.ask("[Account]", "GET", "/api/v1/follow_requests") == []
    assert [s["id"] for s in await bela.ask("[Status]", "GET", "/api/v1/timelines/home")] == [said["id"]]
    assert await carol.refusal("GET", f"{S}/{said['id']}") == (404, "Record not found")


@covers(f"POST {A}/{{id}}/block", f"POST {A}/{{id}}/unblock", f"POST {A}/{{id}}/mute", f"POST {A}/{{id}}/unmute",
        "GET /api/v1/blocks", "GET /api/v1/mutes")
async def test_blocks_and_mutes_last_until_they_are_taken_back(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    b = bela.account.id
    assert (await alice.ask("Relationship", "POST", f"{A}/{b}/block"))["blocking"] is True
    assert [row["id"] for row in await alice.ask("[Account]", "GET", "/api/v1/blocks")] == [str(b)]
    assert (await bela.ask("[Relationship]", "GET", f"{A}/relationships?id[]={alice.account.id}"))[0]["blocked_by"] is True
    await alice.ask("Relationship", "POST", f"{A}/{b}/unblock")
    assert await alice.ask("[Account]", "GET", "/api/v1/blocks") == []
    muted = await alice.ask("Relationship", "POST", f"{A}/{b}/mute", form={"duration": "3600", "notifications": "false"})
    assert (muted["muting"], muted["muting_notifications"]) == (True, False)
    row = (await alice.ask("[MutedAccount]", "GET", "/api/v1/mutes"))[0]
    assert (row["id"], row["mute_expires_at"]) == (str(b), muted["muting_expires_at"])
    said = await bela.say(f"Noise for @{alice.account.username}")
    assert said["id"] not in [s["id"] for s in await alice.ask("[Status]", "GET", "/api/v1/timelines/public")]
    assert len(await alice.ask("[Notification]", "GET", "/api/v1/notifications")) == 1
    assert (await alice.ask("Relationship", "POST", f"{A}/{b}/unmute"))["muting"] is False
    assert said["id"] in [s["id"] for s in await alice.ask("[Status]", "GET", "/api/v1/timelines/public")]


@covers(f"POST {S}", f"GET {S}/{{id}}", f"GET {S}", f"PUT {S}/{{id}}", f"GET {S}/{{id}}/history", f"GET {S}/{{id}}/source",
        f"GET {S}/{{id}}/context", f"DELETE {S}/{{id}}", f"GET {A}/{{id}}/statuses", "POST /api/v2/media",
        "POST /api/v1/media", "GET /api/v1/media/{id}", "PUT /api/v1/media/{id}")
async def test_a_post_with_pictures_is_made_changed_and_taken_back(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    sent = (await alice.upload("/api/v2/media", picture(), description="Park", focus="0.5,-0.5")).json()
    older = (await alice.upload("/api/v1/media", picture())).json()
    assert [faults("MediaAttachment", file) for file in (sent, older)] == [[], []]
    described = await alice.ask("MediaAttachment", "PUT", f"/api/v1/media/{older['id']}", json={"description": "Pond"})
    assert await alice.ask("MediaAttachment", "GET", f"/api/v1/media/{older['id']}") == described
    assert (described["description"], sent["meta"]["focus"]) == ("Pond", {"x": 0.5, "y": -0.5})
    assert (await bela.refusal("GET", f"/api/v1/media/{older['id']}"))[0] == 404
    root = await alice.say(f"See #Trees, @{bela.account.username}", media_ids=[sent["id"], older["id"]], spoiler_text="Green")
    assert await alice.refusal("GET", f"/api/v1/media/{older['id']}") == (404, "Record not found")
    reply = await bela.say("Nice", in_reply_to_id=root["id"])
    below = await alice.say("Thanks", in_reply_to_id=reply["id"])
    thread = await town.stranger.ask("Context", "GET", f"{S}/{reply['id']}/context")
    assert ([s["id"] for s in thread["ancestors"]], [s["id"] for s in thread["descendants"]]) == ([root["id"]], [below["id"]])
    edited = await alice.ask("Status", "PUT", f"{S}/{root['id']}", json={
        "status": "See #Bushes", "media_ids": [older["id"]], "media_attributes": [{"id": older["id"], "description": "A pond"}],
    })
    assert ([f["description"] for f in edited["media_attachments"]], edited["spoiler_text"]) == (["A pond"], "")
    assert edited["edited_at"]
    shown = await town.stranger.ask("Status", "GET", f"{S}/{root['id']}")
    assert ([t["name"] for t in shown["tags"]], shown["replies_count"]) == (["bushes"], 1)
    history = await bela.ask("[StatusEdit]", "GET", f"{S}/{root['id']}/history")
    assert [(h["spoiler_text"], len(h["media_attachments"])) for h in history] == [("Green", 2), ("", 1)]
    assert (await alice.ask("StatusSource", "GET", f"{S}/{root['id']}/source"))["text"] == "See #Bushes"
    assert await bela.refusal("PUT", f"{S}/{root['id']}", json={"status": "Mine"}) == (403, "This action is not allowed")
    assert {s["id"] for s in await town.stranger.ask("[Status]", "GET", f"{S}?id[]={root['id']}&id[]={reply['id']}&id[]=9")} == {
        root["id"], reply["id"]}
    of_alice = f"{A}/{alice.account.id}/statuses"
    for query, wanted in (("", [below, root]), ("only_media=1", [root]), ("exclude_replies=true", [root]),
                          ("tagged=BUSHES", [root]), ("pinned=true", [])):
        assert [s["id"] for s in await town.stranger.ask("[Status]", "GET", f"{of_alice}?{query}")] == [s["id"] for s in wanted], query
    gone = await alice.ask("Status", "DELETE", f"{S}/{root['id']}")
    assert (gone["text"], gone["id"]) == ("See #Bushes", root["id"])
    assert await bela.refusal("GET", f"{S}/{root['id']}") == (404, "Record not found")
    assert (await town.stranger.ask("Account", "GET", f"{A}/{alice.account.id}"))["statuses_count"] == 1
    again = await alice.say("See #Bushes again", media_ids=[older["id"]])
    assert [file["id"] for file in again["media_attachments"]] == [older["id"]]


@covers(*(f"POST {S}/{{id}}/{deed}" for deed in ("favourite", "unfavourite", "reblog", "unreblog", "bookmark", "unbookmark",
        "pin", "unpin", "mute", "unmute")), f"GET {S}/{{id}}/favourited_by", f"GET {S}/{{id}}/reblogged_by",
        "GET /api/v1/favourites", "GET /api/v1/bookmarks")
async def test_marks_on_a_post_are_shown_and_taken_back(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = (await alice.say("Market day"))["id"]
    me = str(bela.account.id)
    for deed, mark, listed, count in (
        ("favourite", "favourited", "/api/v1/favourites", "favourites_count"), ("bookmark", "bookmarked", "/api/v1/bookmarks", None),
    ):
        for _ in range(2):
            made = await bela.ask("Status", "POST", f"{S}/{said}/{deed}")
            assert (made[mark], made.get(count)) == (True, 1 if count else None)
        assert [s["id"] for s in await bela.ask("[Status]", "GET", listed)] == [said]
        assert (await alice.ask("Status", "GET", f"{S}/{said}"))[mark] is False
        if count:
            assert [a["id"] for a in await town.stranger.ask("[Account]", "GET", f"{S}/{said}/favourited_by")] == [me]
        made = await bela.ask("Status", "POST", f"{S}/{said}/un{deed}")
        assert (made[mark], made.get(count)) == (False, 0 if count else None)
        assert await bela.ask("[Status]", "GET", listed) == []
    wrapper = await bela.ask("Status", "POST", f"{S}/{said}/reblog", form={"visibility": "unlisted"})
    assert (wrapper["reblog"]["id"], wrapper["reblog"]["reblogged"], wrapper["visibility"]) == (said, True, "unlisted")
    assert [a["id"] for a in await town.stranger.ask("[Account]", "GET", f"{S}/{said}/reblogged_by")] == [me]
    assert [s["id"] for s in await town.stranger.ask("[Status]", "GET", f"{A}/{me}/statuses")] == [wrapper["id"]]
    assert await town.stranger.ask("[Status]", "GET", f"{A}/{me}/statuses?exclude_reblogs=1") == []
    assert (await bela.ask("Status", "POST", f"{S}/{said}/unreblog"))["reblogs_count"] == 0
    assert await town.stranger.ask("[Account]", "GET", f"{S}/{said}/reblogged_by") == []
    assert (await alice.ask("Status", "POST", f"{S}/{said}/pin"))["pinned"] is True
    pinned = f"{A}/{alice.account.id}/statuses?pinned=1"
    assert [s["id"] for s in await town.stranger.ask("[Status]", "GET", pinned)] == [said]
    assert (await bela.refusal("POST", f"{S}/{said}/pin"))[0] == 422
    assert (await alice.ask("Status", "POST", f"{S}/{said}/unpin"))["pinned"] is False
    assert await town.stranger.ask("[Status]", "GET", pinned) == []
    assert (await alice.ask("Status", "POST", f"{S}/{said}/mute"))["muted"] is True
    await bela.say(f"@{alice.account.username} one", in_reply_to_id=said)
    assert await alice.ask("[Notification]", "GET", "/api/v1/notifications?types[]=mention") == []
    assert (await alice.ask("Status", "POST", f"{S}/{said}/unmute"))["muted"] is False
    await bela.say(f"@{alice.account.username} two", in_reply_to_id=said)
    assert len(await alice.ask("[Notification]", "GET", "/api/v1/notifications?types[]=mention")) == 1


@covers("GET /api/v1/notifications", "GET /api/v1/notifications/unread_count", "GET /api/v1/notifications/{id}",
        "POST /api/v1/notifications/{id}/dismiss", "POST /api/v1/notifications/clear")
async def test_notifications_tell_what_happened(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    said = (await alice.say("Look"))["id"]
    await bela.say(f"@{alice.account.username} hello")
    for path in (f"{S}/{said}/favourite", f"{S}/{said}/reblog", f"{A}/{alice.account.id}/follow"):
        await bela.ask(None, "POST", path)
    told = await alice.ask("[Notification]", "GET", "/api/v1/notifications")
    assert [n["type"] for n in told] == ["follow", "reblog", "favourite", "mention"]
    assert all(n["account"]["id"] == str(bela.account.id) for n in told)
    assert [n.get("status", {}).get("id") for n in told[:3]] == [None, said, said]
    for query, left in (("types[]=follow&types[]=mention", ["follow", "mention"]), ("exclude_types[]=follow", ["reblog", "favourite", "mention"]),
                        (f"account_id={alice.account.id}", [])):
        assert [n["type"] for n in await alice.ask("[Notification]", "GET", f"/api/v1/notifications?{query}")] == left
    assert await alice.ask(None, "GET", "/api/v1/notifications/unread_count") == {"count": 4}
    assert await alice.ask("Notification", "GET", f"/api/v1/notifications/{told[3]['id']}") == told[3]
    assert (await bela.refusal("GET", f"/api/v1/notifications/{told[3]['id']}"))[0] == 404
    assert (await bela.refusal("POST", f"/api/v1/notifications/{told[3]['id']}/dismiss"))[0] == 404
    await alice.ask(None, "POST", f"/api/v1/notifications/{told[3]['id']}/dismiss")
    assert len(await alice.ask("[Notification]", "GET", "/api/v1/notifications")) == 3
    await alice.ask(None, "POST", "/api/v1/notifications/clear")
    assert await alice.ask("[Notification]", "GET", "/api/v1/notifications") == []


@covers("GET /api/v1/timelines/home", "GET /api/v1/timelines/public", "GET /api/v1/timelines/tag/{hashtag}",
        "GET /api/v2/search", "GET /api/v1/tags/{name}")
async def test_timelines_and_search_find_what_was_said(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    tag, other = f"市場{uuid.uuid4().hex[:6]}", f"quiet{uuid.uuid4().hex[:6]}"
    one = await alice.say(f"Tonight #{tag}")
    two = await alice.say(f"Tomorrow #{tag} #{other}")
    hidden = await alice.say(f"Unlisted #{tag}", visibility="unlisted")
    await bela.ask(None, "POST", f"{A}/{alice.account.id}/follow")
    ids = [two["id"], one["id"]]
    assert [s["id"] for s in await bela.ask("[Status]", "GET", "/api/v1/timelines/home")] == [hidden["id"], *ids]
    assert [s["id"] for s in await town.stranger.ask("[Status]", "GET", "/api/v1/timelines/public?local=true&limit=2")] == ids
    assert await town.stranger.ask("[Status]", "GET", "/api/v1/timelines/public?remote=true") == []
    place = f"/api/v1/timelines/tag/{quote(tag)}"
    for query, left in (("", ids), (f"all[]={other}", ids[:1]), (f"none[]={other}", ids[1:])):
        assert [s["id"] for s in await town.stranger.ask("[Status]", "GET", f"{place}?{query}")] == left, query
    found = await bela.ask("Search", "GET", f"/api/v2/search?q=%23{other}")
    assert [t["name"] for t in found["hashtags"]] == [other]
    known = await town.stranger.ask("Tag", "GET", f"/api/v1/tags/{other}")
    assert (known["history"][0]["uses"], known["history"][0]["accounts"]) == ("1", "1")
    found = await town.stranger.ask("Search", "GET", f"/api/v2/search?q={alice.account.username}&type=accounts")
    assert [a["acct"] for a in found["accounts"]] == [alice.account.username]
    found = await alice.ask("Search", "GET", "/api/v2/search?type=statuses&q=" + one["uri"])
    assert [s["id"] for s in found["statuses"]] == [one["id"]]


@covers("GET /api/v2/instance", "GET /api/v1/instance", "GET /api/v1/instance/rules", "GET /api/v1/instance/peers",
        "GET /api/v1/custom_emojis", "GET /.well-known/oauth-authorization-server")
async def test_the_city_introduces_itself(town: Town) -> None:
    known = await town.stranger.ask("Instance", "GET", "/api/v2/instance")
    older = await town.stranger.ask("V1_Instance", "GET", "/api/v1/instance")
    rules = await town.stranger.ask("[Rule]", "GET", "/api/v1/instance/rules")
    assert rules == known["rules"] == older["rules"] != []
    assert (known["domain"], older["uri"], known["version"][:5]) == ("localhost", "localhost", "4.6.0")
    answer = await town.stranger.get("/api/v1/instance")
    assert (answer.headers["deprecation"], answer.headers["cache-control"][:11]) == ("@1668384000", "max-age=300")
    assert answer.headers["vary"] == "Authorization, Origin"
    assert "deprecation" not in (await town.stranger.get("/api/v2/instance")).headers
    assert await town.stranger.ask(None, "GET", "/api/v1/instance/peers") == []
    assert await town.stranger.ask("[CustomEmoji]", "GET", "/api/v1/custom_emojis") == []
    found = await town.stranger.ask(None, "GET", "/.well-known/oauth-authorization-server")
    assert (found["issuer"], found["token_endpoint"]) == ("http://localhost/", "http://localhost/oauth/token")
    assert (found["code_challenge_methods_supported"], found["response_types_supported"]) == (["S256"], ["code"])
    assert {"read", "write:media", "profile", "admin:write:reports"} <= set(found["scopes_supported"])


@covers("POST /api/v1/apps", "GET /api/v1/apps/verify_credentials")
async def test_an_app_registers_and_is_recognised(town: Town) -> None:
    made = await town.stranger.ask("CredentialApplication", "POST", "/api/v1/apps", form={
        "client_name": "Tree", "redirect_uris": "tree://back\nhttps://tree.example/cb", "scopes": "read write:media", "website": "https://tree.example",
    })
    assert (made["redirect_uris"], made["scopes"]) == (["tree://back", "https://tree.example/cb"], ["read", "write:media"])
    token = await town.stranger.ask("Token", "POST", "/oauth/token", form={
        "grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": made["client_secret"],
    })
    app = Caller(town.app, town.succeeded, token["access_token"])
    shown = await app.ask("Application", "GET", "/api/v1/apps/verify_credentials")
    assert shown["name"] == "Tree"
    assert "client_secret" not in shown
    bad = {"client_name": "Bad", "redirect_uris": "javascript:alert(1)"}
    assert await town.stranger.refusal("POST", "/api/v1/apps", form=bad) == (422, "Validation failed: Redirect uris is invalid")


PROPOSAL = {"title": "Calme", "text": "Nul ne publie la nuit.", "ceiling": 4, "scope": "posts"}


@covers("GET /api/v1/charter", "GET /api/v1/charter/articles/{number}", "GET /api/v1/charter/proposals",
        *(f"{verb} /api/v1/charter/proposals{rest}" for verb, rest in (
            ("POST", ""), ("GET", "/{id}"), ("POST", "/{id}/support"), ("POST", "/{id}/unsupport"), ("POST", "/{id}/ballot"))))
async def test_residents_propose_support_and_vote(town: Town) -> None:
    alice, bela, carol = await town.people("alice", "bela", "carol")
    assert (await alice.refusal("POST", "/api/v1/charter/proposals", json=PROPOSAL))[0] == 422
    async with town.app.db.write() as tx:
        for one in (alice, bela, carol):
            await residency.attest(tx, one.account.id, "11", tx.now + timedelta(days=365))
    whole = await town.stranger.ask(None, "GET", "/api/v1/charter")
    assert (whole["number"], whole["versions"][0]["hash"]) == (0, whole["hash"])
    first = whole["articles"][0]
    alone = await town.stranger.ask(None, "GET", f"/api/v1/charter/articles/{first['number']}")
    assert {name: alone[name] for name in first} == first
    assert alone["versions"] == [first]
    made = await alice.ask(None, "POST", "/api/v1/charter/proposals", json=PROPOSAL)
    place = f"/api/v1/charter/proposals/{made['id']}"
    assert (made["state"], made["support_count"], made["supported"]) == ("support", 1, True)
    assert (await bela.ask(None, "POST", f"{place}/support"))["support_count"] == 2
    assert (await bela.ask(None, "POST", f"{place}/unsupport"))["supported"] is False
    assert (await town.stranger.ask(None, "GET", place))["support_count"] == 1
    await bela.ask(None, "POST", f"{place}/support")
    await town.turn()
    shown = await town.stranger.ask(None, "GET", place)
    assert (shown["options"], shown["tally"]) == (["text", "status_quo"], None)
    grades = {"text": "bien", "status_quo": "passable"}
    cast = await carol.ask(None, "POST", f"{place}/ballot", json={"grades": grades})
    assert cast["voted"] is True
    assert (await town.stranger.ask(None, "GET", place))["voted"] is False
    again = await carol.ask(None, "POST", f"{place}/ballot", form={f"grades[{name}]": "bien" for name in grades})
    assert again["voted"] is True
    assert (await carol.refusal("POST", f"{place}/ballot", json={"grades": {"text": "super"}}))[0] == 422
    listed = await town.stranger.ask(None, "GET", f"/api/v1/charter/proposals?state[]={shown['state']}")
    assert made["id"] in [row["id"] for row in listed]


@covers("POST /api/v1/reports", "GET /api/v1/admin/accounts/{id}", "GET /api/v1/admin/reports", "GET /api/v1/admin/reports/{id}",
        "POST /api/v1/admin/accounts/{id}/action", "POST /api/v1/admin/reports/{id}/resolve",
        "POST /api/v1/admin/decisions/{id}/confirm", "GET /api/v1/admin/decisions", "GET /api/v1/register",
        "GET /api/v1/register/{index}", "GET /api/v1/decisions/{id}/statement", "POST /api/v1/decisions/{id}/appeal")
async def test_a_report_leads_to_a_decision_that_is_public_and_can_be_appealed(town: Town) -> None:
    alice, bela = await town.people("alice", "bela")
    mona, noor = await town.person("mona", "moderator"), await town.person("noor", "moderator")
    rules = await alice.ask("[Rule]", "GET", "/api/v1/instance/rules")
    whole = await town.stranger.ask(None, "GET", "/api/v1/charter")
    severe = next(a["id"] for a in whole["articles"] if a["ceiling"] >= 6 and a["id"] in [rule["id"] for rule in rules])
    said = (await bela.say("Something awful"))["id"]
    reports = [await alice.ask("Report", "POST", "/api/v1/reports", json={
        "account_id": str(bela.account.id), "status_ids": [said], "comment": comment, "rule_ids": [severe],
    }) for comment in ("Look at this", "And again")]
    assert (reports[0]["category"], reports[0]["rule_ids"], reports[0]["status_ids"]) == ("violation", [severe], [said])
    assert (await alice.refusal("GET", "/api/v1/admin/reports"))[0] == 403
    waiting = await mona.ask("[Admin_Report]", "GET", "/api/v1/admin/reports")
    assert {r["id"] for r in reports} <= {r["id"] for r in waiting}
    shown = await mona.ask("Admin_Report", "GET", f"/api/v1/admin/reports/{reports[0]['id']}")
    assert ([s["id"] for s in shown["statuses"]], shown["target_account"]["id"]) == ([said], str(bela.account.id))
    file = await mona.ask("Admin_Account", "GET", f"/api/v1/admin/accounts/{bela.account.id}")
    assert (file["email"], file["suspended"]) == (f"{bela.account.username}@example.org", False)
    made = await mona.ask(None, "POST", f"/api/v1/admin/accounts/{bela.account.id}/action", json={
        "type": "suspend", "report_id": reports[0]["id"], "article_ids": [severe], "text": "It is awful.", "duration": 86400,
    })
    assert made["id"] in [row["id"] for row in await noor.ask(None, "GET", "/api/v1/admin/decisions")]
    confirmed = await noor.ask(None, "POST", f"/api/v1/admin/decisions/{made['id']}/confirm")
    assert made["id"] not in [row["id"] for row in await noor.ask(None, "GET", "/api/v1/admin/decisions")]
    assert confirmed["measure"] == "suspension"
    told = await bela.ask("[Notification]", "GET", "/api/v1/notifications?types[]=moderation_warning")
    assert (told[0]["moderation_warning"]["id"], told[0]["moderation_warning"]["action"]) == (made["id"], "suspend")
    statement = await bela.ask(None, "GET", f"/api/v1/decisions/{made['id']}/statement")
    assert (statement["facts"], statement["level"]) == ("It is awful.", made["level"])
    assert (await alice.refusal("GET", f"/api/v1/decisions/{made['id']}/statement"))[0] == 404
    asked = await bela.ask(None, "POST", f"/api/v1/decisions/{made['id']}/appeal", json={"text": "It was a joke."})
    assert asked["decision_id"] == made["id"]
    assert (await bela.refusal("POST", f"/api/v1/decisions/{made['id']}/appeal", json={"text": "Again."}))[0] == 409
    resolved = await mona.ask("Admin_Report", "POST", f"/api/v1/admin/reports/{reports[1]['id']}/resolve", json={
        "text": "Settled.", "article_ids": [severe]})
    assert resolved["action_taken"] is True
    await town.turn()
    register = await town.stranger.ask(None, "GET", "/api/v1/register")
    entry = next(row for row in register["entries"] if row["reasons"] == "It is awful.")
    one = await town.stranger.ask(None, "GET", f"/api/v1/register/{entry['index']}")
    assert (one["measure"], one["proof"]["size"]) == ("suspension", register["checkpoint"]["size"])
    assert (await town.stranger.ask("Account", "GET", f"{A}/{bela.account.id}"))["suspended"] is True
    assert await bela.refusal("GET", f"{A}/verify_credentials") == (403, "Your login is currently disabled")
    assert await town.stranger.refusal("GET", f"{S}/{said}") == (404, "Record not found")

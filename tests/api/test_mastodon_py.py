"""Mastodon.py, a client that others wrote, against a real server process."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from mastodon import Mastodon
from mastodon.errors import MastodonNotFoundError
from PIL import Image

from conftest import Server, settle_in
from parvis.app import build
from parvis.base import settings as deployment
from parvis.base.settings import Settings


async def _sql(server: Server, statement: str) -> None:
    admin: asyncpg.Connection[Any] = await asyncpg.connect(server.url(server.superuser, "postgres"))
    await admin.execute(statement)
    await admin.close()


async def _prepare(server: Server, name: str, given: Settings) -> dict[str, str]:
    """A database with two people; their tokens."""
    await _sql(server, f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner")
    app = await build(given, pool=2)
    found = {name: (await settle_in(app, name)).token or "" for name in ("alice", "bela")}
    await app.close()
    return found


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        assert process.poll() is None, "the server ended"
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not listen")


@pytest.fixture(scope="module")
def clients(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Mastodon]]:
    """Alice's and Bela's clients, and a stranger's."""
    port, data = _free_port(), tmp_path_factory.mktemp("served")
    origin = f"http://localhost:{port}"
    name = f"t_mastodon_py_{port}"
    url = server.url("parvis_app", name)
    given = Settings(data=data, origin=origin, database_url=url, dev=True, port=port, workers=1)
    tokens = asyncio.run(_prepare(server, name, given))
    process = subprocess.Popen(
        [sys.executable, "-c", "from parvis import cli; cli.web()"],
        env={**os.environ, **deployment.to_environment(given)},
    )
    try:
        _wait(process, port)
        made = {name: Mastodon(access_token=token, api_base_url=origin) for name, token in tokens.items()}
        yield {**made, "stranger": Mastodon(api_base_url=origin)}
    finally:
        process.terminate()
        process.wait(10)
        asyncio.run(_sql(server, f"DROP DATABASE {name} WITH (FORCE)"))


def test_mastodon_py_posts_with_a_picture_replies_and_marks(clients: dict[str, Mastodon]) -> None:
    alice, bela, stranger = clients["alice"], clients["bela"], clients["stranger"]
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 140, 90)).save(out, "PNG")
    file = alice.media_post(io.BytesIO(out.getvalue()), mime_type="image/png", description="A park", synchronous=True)
    made = alice.status_post("Look #Park", media_ids=[file], language="en", idempotency_key="k")
    assert alice.status_post("Look #Park", media_ids=[file], idempotency_key="k").id == made.id
    read = stranger.status(made.id)
    assert (read.account.acct, read.media_attachments[0].description, read.tags[0].name) == ("alice", "A park", "park")
    assert bela.status_favourite(made.id).favourited is True
    assert bela.status_reblog(made.id).reblog.id == made.id
    reply = bela.status_reply(read, "Lovely")
    assert [s.id for s in stranger.status_context(made.id).descendants] == [reply.id]
    assert {n.type for n in alice.notifications(exclude_types=["follow"])} == {"favourite", "reblog", "mention"}
    edited = alice.status_update(made.id, "Look again", media_ids=[file])
    assert edited.edited_at
    assert len(stranger.status_history(made.id)) == 2
    alice.status_delete(made.id)
    with pytest.raises(MastodonNotFoundError):
        stranger.status(made.id)


def test_mastodon_py_follows_pages_and_changes_a_profile(clients: dict[str, Mastodon]) -> None:
    alice, bela, stranger = clients["alice"], clients["bela"], clients["stranger"]
    me = alice.account_verify_credentials()
    assert bela.account_follow(me.id).following is True
    said = [alice.status_post(f"Number {number}").id for number in range(5)]
    page = bela.timeline_home(limit=2)
    seen = [s.id for s in page]
    while page := bela.fetch_next(page):
        seen += [s.id for s in page]
    assert seen[:5] == said[::-1]
    assert len(seen) == len(set(seen))
    assert [a.acct for a in stranger.account_followers(me)] == ["bela"]
    changed = alice.account_update_credentials(display_name="Alice A.", fields=[("Web", "https://example.org")], locked=True)
    assert (changed.display_name, changed.locked, changed.fields[0].name) == ("Alice A.", True, "Web")
    assert stranger.account_lookup("alice").id == me.id
    assert [a.acct for a in bela.search("alice").accounts] == ["alice"]
    assert stranger.instance_v2().configuration.statuses.max_characters == 500
    assert bela.account_relationships(me)[0].following is True


def test_mastodon_py_registers_an_app_and_signs_somebody_up(clients: dict[str, Mastodon]) -> None:
    origin = clients["stranger"].api_base_url
    client_id, secret = Mastodon.create_app("Tree", api_base_url=origin, scopes=["read", "write"])
    app = Mastodon(client_id, secret, api_base_url=origin)
    token = app.create_account("dora", "correct horse", "dora@example.org", agreement=True, scopes=["read", "write"])
    dora = Mastodon(client_id, secret, access_token=token, api_base_url=origin)
    assert dora.me().acct == "dora"
    assert dora.app_verify_credentials().name == "Tree"
    dora.revoke_access_token(allow_http=True)
    address = app.auth_request_url(scopes=["read"], redirect_uris="urn:ietf:wg:oauth:2.0:oob")
    assert address.startswith(f"{origin}/oauth/authorize?")


def test_mastodon_py_finds_what_is_said_and_whom_to_follow(clients: dict[str, Mastodon]) -> None:
    alice, bela, stranger = clients["alice"], clients["bela"], clients["stranger"]
    alice.account_update_credentials(indexable=True)
    said = alice.status_post("The lamps of the quayside #lamps")
    assert [s.id for s in bela.search_v2("quayside from:alice", result_type="statuses").statuses] == [said.id]
    assert [t.name for t in stranger.search_v2("lam", result_type="hashtags", resolve=False).hashtags] == ["lamps"]
    assert {"alice", "bela"} <= {a.acct for a in stranger.directory(order="new", local=True)}
    assert stranger.trending_tags() == stranger.trending_statuses() == stranger.trending_links() == []
    assert isinstance(bela.suggestions_v2(), list)
    bela.suggestion_delete(said.account.id)
    assert stranger.instance_health()
    assert stranger.instance_activity()[0].statuses >= 1
    assert "fr" in [language.code for language in stranger.instance_languages()]
    assert stranger.instance_extended_description().content

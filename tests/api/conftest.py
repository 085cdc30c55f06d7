"""The city that a module of tests shares."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api.town import Town
from civic import document
from conftest import Server
from parvis.app import build
from parvis.base.settings import Settings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    name = f"t_contract_{uuid.uuid4().hex[:8]}"
    admin: asyncpg.Connection[Any] = await asyncpg.connect(server.url(server.superuser, "postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {server.template} STRATEGY FILE_COPY OWNER parvis_owner")
    owner: asyncpg.Connection[Any] = await asyncpg.connect(server.url("parvis_owner", name))
    await owner.execute("SELECT charter_found($1::jsonb)", msgspec.json.encode(document()).decode())
    url = server.url("parvis_app", name)
    settings = Settings(data=tmp_path_factory.mktemp("town"), origin="http://localhost", database_url=url, dev=True)
    app = await build(settings, pool=3)
    yield Town(app, owner)
    await app.close()
    await owner.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()

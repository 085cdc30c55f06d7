"""Emoji of the city: drawn at the operator's desk, shown in posts and profiles, and gone when they are taken away."""

from __future__ import annotations

import io
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from api.contract import covers
from api.town import A, S, Town, picture
from parvis import desk
from parvis.base.errors import Invalid
from parvis.emojis import actions as emojis
from parvis.emojis import policy
from parvis.emojis.model import Heard


def moving() -> bytes:
    """A picture of two frames."""
    out = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


async def draw(town: Town, name: str, body: bytes, category: str | None = None) -> None:
    """What `parvis emoji add` does."""
    file = town.app.settings.data / "drawing"
    file.write_bytes(body)
    here = desk.Here(town.app.settings, town.app.db, "", None)
    await desk.add_emoji(here, Namespace(name=name, file=str(file), category=category))


async def erase(town: Town, name: str) -> None:
    """What `parvis emoji remove` does."""
    await desk.remove_emoji(desk.Here(town.app.settings, town.app.db, "", None), Namespace(name=name))


def files(town: Town) -> list[Path]:
    return [path for path in (town.app.settings.files / "emojis").rglob("*") if path.is_file()]


def names(entity: Any) -> list[str]:
    return [emoji["shortcode"] for emoji in entity["emojis"]]


@covers("GET /api/v1/custom_emojis")
async def test_an_emoji_of_the_city_is_shown_wherever_it_is_named(town: Town) -> None:
    alice = await town.person("alice")
    early = await alice.say("Vive :la_ville: !")
    assert names(await town.stranger.ask("Status", "GET", f"{S}/{early['id']}")) == []
    await draw(town, ":la_ville:", picture(), "Places")
    await draw(town, "parc", moving())
    listed = await town.stranger.ask("[CustomEmoji]", "GET", "/api/v1/custom_emojis")
    assert [(one["shortcode"], one["category"], one["visible_in_picker"]) for one in listed] == [
        ("la_ville", "Places", True), ("parc", None, True)]
    still, moves = listed
    assert still["url"] == still["static_url"] != moves["static_url"] != moves["url"]
    for url, kind in ((still["url"], "image/png"), (moves["url"], "image/gif"), (moves["static_url"], "image/png")):
        file = await town.stranger.get(url.removeprefix("http://localhost"))
        assert (file.status, file.headers["content-type"]) == (200, kind)
    said = await alice.say("Vive :la_ville: et le :parc:nord, a :la_ville", spoiler_text=":parc:")
    assert said["emojis"] == listed
    assert names(await alice.say("la_ville: parc :other: https://parc:80/x", spoiler_text="parc")) == []
    asked = await alice.say("Which?", poll={"options": [":la_ville:", "none"], "expires_in": 3600})
    assert (names(asked["poll"]), names(asked)) == (["la_ville"], [])
    mine = await alice.ask("CredentialAccount", "PATCH", f"{A}/update_credentials", form={
        "display_name": "Alice :parc:", "fields_attributes[0][name]": "Where", "fields_attributes[0][value]": ":la_ville:"})
    assert names(mine) == ["la_ville", "parc"]
    assert names((await town.stranger.ask("Status", "GET", f"{S}/{said['id']}"))["account"]) == ["la_ville", "parc"]
    assert names(await town.stranger.ask("Status", "GET", f"{S}/{early['id']}")) == []
    await alice.ask("Status", "PUT", f"{S}/{early['id']}", json={"status": "Toujours :la_ville:"})
    assert names(await town.stranger.ask("Status", "GET", f"{S}/{early['id']}")) == ["la_ville"]
    versions = await town.stranger.ask("[StatusEdit]", "GET", f"{S}/{early['id']}/history")
    assert [names(one) for one in versions] == [["la_ville"], ["la_ville"]]
    assert len(files(town)) == 3
    await draw(town, "parc", picture(300, 20))
    assert len(files(town)) == 2
    for name in ("la_ville", "parc"):
        await erase(town, name)
    assert await town.stranger.ask("[CustomEmoji]", "GET", "/api/v1/custom_emojis") == []
    assert names(await alice.say("Vive :la_ville:")) == []
    assert files(town) == []


@covers()
async def test_what_cannot_be_an_emoji_is_refused_and_leaves_no_file(town: Town) -> None:
    before = files(town)
    for name, body, field, word in (
        ("a", picture(), "shortcode", "invalid"), ("a-b", picture(), "shortcode", "invalid"), ("été", picture(), "shortcode", "invalid"),
        ("ab\n", picture(), "shortcode", "invalid"),
        ("good", b"GIF89a nonsense", "file", "not_an_image"), ("good", b"", "file", "not_an_image"),
        ("good", b"x" * (policy.BYTES + 1), "file", "too_large"), ("good", picture(3000, 2000), "file", "too_many_pixels"),
    ):
        with pytest.raises(Invalid) as refused:
            await draw(town, name, body)
        assert (refused.value.field, refused.value.word) == (field, word)
    with pytest.raises(Invalid):
        await draw(town, "good", picture(), "x" * 101)
    with pytest.raises(desk.Refusal):
        await erase(town, "nowhere")
    assert files(town) == before


@covers()
async def test_each_city_has_its_own_emoji_of_a_name(town: Town) -> None:
    await draw(town, "blob", picture())
    async with town.app.db.write() as tx:
        await emojis.learn(tx, "sued.example", [Heard("blob", "https://sued.example/b.png"), Heard("cat", "https://sued.example/c.png")])
        assert [one["file"] is None for one in await tx.value("SELECT emojis_in(':blob: :cat:', 'sued.example')")] == [True, True]
        assert [one["file"] is None for one in await tx.value("SELECT emojis_in(':blob: :cat:', NULL)")] == [False]
    assert [one["shortcode"] for one in await town.stranger.ask("[CustomEmoji]", "GET", "/api/v1/custom_emojis")] == ["blob"]
    await erase(town, "blob")
    async with town.app.db.read() as r:
        assert len(await r.value("SELECT emojis_in(':blob:', 'sued.example')")) == 1

"""A real browser on a demonstration city: without any script the main things work, and axe finds no barrier."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = os.environ.get("PARVIS_TEST_CHROMIUM", "/usr/bin/chromium")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "place-publique"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB"}
PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "locale": "fr-FR", "has_touch": True}
DARK: dict[str, Any] = {**DESK, "color_scheme": "dark"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demonstration city, served as anyone would serve it."""
    port, data = _free_port(), tmp_path_factory.mktemp("city")
    command = [sys.executable, "-c", "import sys; from parvis.cli import main; sys.exit(main())",
               "demo", "--data", str(data / "data"), "--port", str(port)]
    with (data / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as running:
        base, last = f"http://localhost:{port}", time.monotonic() + 180
        while not _answers(base):
            assert running.poll() is None, (data / "log").read_text()
            assert time.monotonic() < last, (data / "log").read_text()
            time.sleep(0.3)
        yield base
        running.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, city: str) -> Iterator[Page]:
    """A page in a browser that runs no script."""
    context = chromium.new_context(java_script_enabled=False, base_url=city, **DESK)
    yield context.new_page()
    context.close()


def sign_in(page: Page, name: str) -> None:
    page.goto("/auth/sign_in")
    page.fill("#email", name)
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")


def addresses(page: Page) -> dict[str, str]:
    """Where every kind of page is in this city, found by following links."""
    found = {name: f"/{name}" for name in ("charter", "proposals", "register", "about", "privacy", "imprint")}
    found |= {"front": "/", "sign_in": "/auth/sign_in", "sign_up": "/auth/sign_up", "lost": "/nowhere"}
    kinds = {"profile": r"/@\w+$", "status": r"/@\w+/\d+$", "tag": r"/tags/", "article": r"/charter/articles/",
             "changes": r"/charter/changes", "proposal": r"/proposals/\d+$", "entry": r"/register/\d+$"}
    for start in ("/", "/charter", "/proposals", "/register"):
        page.goto(start)
        for link in page.locator("main a").all():
            href = link.get_attribute("href") or ""
            found |= {kind: href for kind, shape in kinds.items() if kind not in found and re.search(shape, href)}
    assert set(kinds) <= set(found)
    page.goto("/proposals")
    for number, link in enumerate(page.locator("main h2 a").all()):
        found[f"proposal {number}"] = link.get_attribute("href") or ""
    return found


def barriers(page: Page) -> list[str]:
    """What axe-core finds, one line for each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("standards => axe.run(document, {runOnly: standards})", STANDARDS)
    return [f"{v['id']}: {node['html'][:160]}" for v in found["violations"] for node in v["nodes"]]


def test_somebody_signs_in_writes_and_signs_out_without_any_script(page: Page) -> None:
    sign_in(page, "amina@example.org")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.fill("#status", "The first figs are ripe. #Jardins")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("article").first).to_contain_text("The first figs are ripe.")
    page.get_by_role("link", name="#Jardins").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("#jardins", ignore_case=True)
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator(".enter").get_by_role("link", name="Sign in")).to_be_visible()


def test_a_resident_answers_a_post_and_the_answer_stands_under_it(page: Page) -> None:
    sign_in(page, "bela@example.org")
    page.goto("/@chloe")
    page.locator(".post-when").first.click()
    original = page.url
    page.fill("#status", "@chloe And the tomatoes, still?")
    page.get_by_role("button", name="Reply").click()
    expect(page.get_by_role("region", name="Earlier in the conversation")).to_be_visible()
    page.goto(original)
    expect(page.locator("main")).to_contain_text("And the tomatoes, still?")


def test_a_resident_votes_with_the_keyboard_alone(page: Page) -> None:
    sign_in(page, "esther@example.org")
    page.goto("/proposals")
    page.get_by_role("link", name="Go to the vote").first.click()
    first = page.get_by_role("group").nth(0).get_by_role("radio").nth(1)
    first.focus()
    page.keyboard.press("Space")
    page.get_by_role("group").nth(1).get_by_role("radio").nth(4).check()
    page.get_by_role("button", name="Cast my vote").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your vote is in the box")
    assert page.locator("input:checked").count() == 0


def test_a_resident_proposes_a_rule(page: Page) -> None:
    sign_in(page, "diego@example.org")
    page.goto("/proposals/new")
    page.fill("#title", "Une heure de calme")
    page.fill("#text", "Entre midi et treize heures, la place se tait.")
    page.get_by_role("button", name="Submit the proposal").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Une heure de calme")
    expect(page.locator(".gauge")).to_contain_text("1 of")


def test_the_language_and_the_way_past_the_menu_are_the_first_things_a_keyboard_reaches(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.locator("header").get_by_role("link", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.goto("/about")
    expect(page.locator("html")).to_have_attribute("lang", "fr")


@pytest.mark.parametrize("look", [DESK, PHONE, DARK], ids=["desk", "phone", "dark"])
def test_no_page_has_a_barrier_or_scrolls_sideways(
    chromium: Browser, city: str, page: Page, look: dict[str, Any]
) -> None:
    places = addresses(page)
    context = chromium.new_context(base_url=city, **look)
    seen = context.new_page()
    troubles: list[str] = []

    def inspect(name: str, path: str) -> None:
        seen.goto(path)
        troubles.extend(f"{name}: {line}" for line in barriers(seen))
        wide = seen.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            troubles.append(f"{name}: {wide} pixels too wide")

    for name, path in places.items():
        inspect(name, path)
    sign_in(seen, "gwen@example.org")
    for name, path in (("front inside", "/"), ("propose", "/proposals/new"), ("vote", places["proposal 0"])):
        inspect(name, path)
    seen.goto("/settings/invitations")
    seen.get_by_role("button", name=re.compile("Make an invitation|Créer une invitation")).click()
    invitation = seen.locator("main code").first.inner_text()
    seen.goto("/settings/export")
    if seen.locator("main form").count():  # once a week: the first of the looks asks, the others see it
        seen.locator("main form button").click()
        inspect("archive asked for", seen.url)
    for name in ("", "/profile", "/security", "/applications", "/import", "/export", "/delete", "/invitations"):
        inspect(f"settings{name}", f"/settings{name}")
    context.clear_cookies()
    inspect("invitation", invitation)
    context.close()
    assert troubles == []

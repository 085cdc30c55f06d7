"""The city keeps to its own document: schemathesis asks every operation what it may be asked, and what it may not.

With a moderator's token, with a resident's and with none: no fault of ours, no code and no shape that the document does not tell.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from stage import City, Person, cities, must, play, step

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
TOOL = str(Path(sys.executable).with_name("schemathesis"))
# Streams do not end; a revoked token would leave nothing to test. Both have examples in tests/api.
LEFT_OUT = "/streaming|/oauth/revoke"


def furnish(alice: Person, bela: Person) -> dict[str, list[str]]:
    """What a town has after a few days; the ids by the word that stands before them in paths."""
    people = [one.get("/api/v1/accounts/verify_credentials")["id"] for one in (alice, bela)]
    said = [alice.post("/api/v1/statuses", status=f"Bonjour {n} #place") for n in range(3)]
    asked = bela.post("/api/v1/statuses", status="Ou bien ?", poll={"options": ["oui", "non"], "expires_in": 3600})
    later = bela.post("/api/v1/statuses", status="Demain", scheduled_at="2099-01-01T00:00:00Z")
    bela.post(f"/api/v1/statuses/{said[0]['id']}/favourite")
    alice.post(f"/api/v1/statuses/{asked['id']}/bookmark")
    alice.post(f"/api/v1/accounts/{people[1]}/follow")
    lists = [one.post("/api/v1/lists", title="Voisins") for one in (alice, bela)]
    sieves = [one.post("/api/v2/filters", title="Sans", context=["home"]) for one in (alice, bela)]
    return {
        "statuses": [one["id"] for one in [*said, asked]], "accounts": people,
        "polls": [asked["poll"]["id"]], "scheduled_statuses": [later["id"]], "lists": [one["id"] for one in lists],
        "filters": [one["id"] for one in sieves], "tags": ["place"],
    }


def led(document: Any, ids: dict[str, list[str]]) -> Any:
    """The document whose paths lead to what is there, and to what is not."""
    for path, rows in document["paths"].items():
        for row in rows.values():
            for one in row["parameters"]:
                before = re.search(rf"(\w+)/{re.escape('{' + one['name'] + '}')}", path)
                if one["in"] == "path" and before and before[1] in ids:
                    one["schema"] = {"type": "string", "enum": [*ids[before[1]], "7"]}
    return document


def ask(city: City, document: Path, token: str | None, examples: int) -> None:
    """One run of schemathesis; every failure fails the scenario."""
    headers = ["-H", f"Authorization: Bearer {token}"] if token else []
    done = subprocess.run(
        [TOOL, "run", str(document), "--url", city.origin, *headers, "--phases", "fuzzing", "--mode", "all", "-c", CHECKS,
         "--max-examples", str(examples), "--exclude-path-regex", LEFT_OUT, "--no-color", "--no-shrink", "--workers", "2",
         "--suppress-health-check", "all", "--warnings", "off", "--generation-deterministic"],
        capture_output=True, text=True, timeout=240, check=False, cwd=document.parent,
    )
    must(done.returncode == 0, done.stdout[-6000:] + done.stderr[-500:])
    said = dict(re.findall(r"(Tested|Test cases):\s+(\d+)", done.stdout)) | {
        "cases": (re.search(r"(\d+) generated", done.stdout) or ["", "?"])[1]}
    step(f"{said.get('Tested', '?')} operations, {said['cases']} cases: every answer is as the document tells")


def scenario(folder: Path) -> None:
    """Alice and bela live here, mona moderates."""
    with cities(City(folder / "city")) as (city,):
        alice, bela, mona = city.person("alice"), city.person("bela"), city.person("mona", role="moderator")
        document = folder / "openapi.json"
        whole = requests.get(f"{city.origin}/api/openapi.json", timeout=30).json()
        document.write_text(json.dumps(led(whole, furnish(alice, bela))), encoding="utf-8")
        for token, examples in ((None, 2), (alice.token, 4), (mona.token, 4)):
            ask(city, document, token, examples)


if __name__ == "__main__":
    sys.exit(play("the document holds", scenario))

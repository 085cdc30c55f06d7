"""Every live scenario, one after the other. The last line is read by machines."""

from __future__ import annotations

import sys

import apps
import backup
import failures
import federation
import kill
import media
import rule_cycle
import schema
import stage
import streams
import two_cities

SCENARIOS = {
    "two cities": two_cities.scenario, "two cities and Fedify": federation.scenario, "the rule cycle": rule_cycle.scenario,
    "pictures, films and sounds": media.scenario,
    "kill -9": kill.scenario, "10,000 deliveries and what fails": failures.scenario, "backup and restore": backup.scenario,
    "a thousand streams": streams.scenario,
    "toot, Mastodon.py, masto and megalodon": apps.scenario,
    "the document holds": schema.scenario,
}


def main() -> int:
    """Play all; the number of those that failed."""
    failed = sum(stage.play(name, scenario) for name, scenario in SCENARIOS.items())
    stage.tell(f"live: {len(SCENARIOS) - failed} passed, {failed} failed")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

"""The number that tells clients what is here, and what it promises."""

from __future__ import annotations

import msgspec

from parvis.api.instance import API_VERSIONS
from parvis.api.operations import OPERATIONS
from parvis.api.shapes import ENTITIES
from parvis.api.statuses import ChangedStatus, NewStatus

# Since which number clients count on which operations (documented for Mastodon 4.3 to 4.6).
PROMISED = {
    2: {"GET /api/v2/notifications", "GET /api/v2/notifications/{group_key}", "GET /api/v2/notifications/{group_key}/accounts",
        "POST /api/v2/notifications/{group_key}/dismiss", "GET /api/v2/notifications/unread_count",
        "GET /api/v2/notifications/policy", "GET /api/v1/notifications/requests/merged"},
    3: {"GET /api/v1/instance/terms_of_service"},
    4: {"DELETE /api/v1/media/{id}"},
    7: {"GET /api/v1/statuses/{id}/quotes", "PUT /api/v1/statuses/{id}/interaction_policy",
        "POST /api/v1/statuses/{id}/quotes/{quoting_status_id}/revoke"},
    8: {"GET /api/v1/profile", "PATCH /api/v1/profile"},
    10: {"POST /api/v1/collections", "GET /api/v1/collections/{id}", "PATCH /api/v1/collections/{id}",
         "DELETE /api/v1/collections/{id}", "GET /api/v1/accounts/{account_id}/collections",
         "POST /api/v1/collections/{collection_id}/items", "DELETE /api/v1/collections/{collection_id}/items/{id}"},
}


def plain(name: str) -> str:
    return "{}".join(part.rpartition("}")[2] for part in name.split("{"))


def test_the_version_promises_only_operations_that_are_here() -> None:
    here = {plain(row.name) for row in OPERATIONS}
    lacking = {number for number, names in PROMISED.items() if {plain(name) for name in names} - here}
    whole = [number for number in sorted(PROMISED) if not [less for less in lacking if less <= number]]
    assert API_VERSIONS["mastodon"] == whole[-1]


def test_whoever_may_count_on_quotes_can_make_and_read_them() -> None:
    assert {"quoted_status_id", "quote_approval_policy"} <= {field.name for field in msgspec.structs.fields(NewStatus)}
    assert "quote_approval_policy" in {field.name for field in msgspec.structs.fields(ChangedStatus)}
    assert {"quote=h?", "quote_approval=QuoteApproval", "quotes_count=i"} <= set(ENTITIES["Status"].split())

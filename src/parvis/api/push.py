"""Where an app is pushed to."""

from __future__ import annotations

from typing import Any

import msgspec

from parvis.api.call import Call, Nothing, delete, get, post, put
from parvis.base import http, webpush
from parvis.base.errors import Invalid, NotFound, Upstream
from parvis.base.seal import Seal
from parvis.base.webpush import Receiver
from parvis.notifications.channels import queries
from parvis.notifications.model import ALERTS, NewSubscription, Whose

ENDPOINT_LENGTH = 2000


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """An app's keys, as text."""

    p256dh: str
    auth: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an app listens."""

    endpoint: str
    keys: Keys
    standard: bool = False


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """Of what an app is told, and by whom."""

    alerts: dict[str, bool] = {}
    policy: Whose = "all"


class NewPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to be pushed to."""

    subscription: Place
    data: Data = Data()


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Other things to be told of."""

    data: Data | None = None
    policy: Whose | None = None


def _endpoint(text: str, schemes: tuple[str, ...]) -> str:
    try:
        good = http.parsed(text).scheme in schemes and len(text) <= ENDPOINT_LENGTH
    except Upstream as error:
        raise Invalid("endpoint", "invalid") from error
    if not good:
        raise Invalid("endpoint", "invalid")
    return text


def _alerts(data: Data) -> list[str]:
    return [kind for kind in ALERTS if data.alerts.get(kind)]


async def _shown(call: Call) -> dict[str, Any]:
    found = await queries.subscription(call.read, call.token_id)
    if found is None:
        raise NotFound("subscription")
    return {
        "id": str(found.id), "endpoint": found.endpoint, "standard": found.standard,
        "alerts": {kind: kind in found.alerts for kind in ALERTS}, "policy": found.policy,
        "server_key": webpush.public_key(call.settings.secrets),
    }


@get("/api/v1/push/subscription", "push")
async def show(call: Call, _: Nothing) -> dict[str, Any]:
    """The one of this token."""
    return await _shown(call)


@post("/api/v1/push/subscription", "push")
async def subscribe(call: Call, args: NewPlace) -> dict[str, Any]:
    """Push to this app, not to where it listened before. Its token goes with each message, so it is kept, sealed."""
    place, token = args.subscription, call.request.headers["authorization"].partition(" ")[2].strip()
    to = Receiver(
        _endpoint(place.endpoint, ("https", "http") if call.settings.dev else ("https",)),
        webpush.public_point(place.keys.p256dh, "p256dh"), webpush.raw(place.keys.auth, "auth", 16), place.standard,
    )
    sealed = Seal(call.settings.secrets).close(token.encode())
    new = NewSubscription(to, _alerts(args.data), args.data.policy, sealed)
    await queries.subscribe(call.tx, call.token_id, call.me_id, new)
    return await _shown(call)


@put("/api/v1/push/subscription", "push")
async def change(call: Call, args: Changed) -> dict[str, Any]:
    """Tell this app of other things."""
    alerts = None if args.data is None else _alerts(args.data)
    policy = args.policy or (None if args.data is None else args.data.policy)
    await queries.resubscribe(call.tx, call.token_id, alerts, policy)
    return await _shown(call)


@delete("/api/v1/push/subscription", "push")
async def unsubscribe(call: Call, _: Nothing) -> dict[str, Any]:
    """Push no more; when nothing was pushed, that is no mistake."""
    await queries.unsubscribe(call.tx, call.token_id)
    return {}

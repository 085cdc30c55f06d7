"""Errors in Mastodon's shape: one table from the house's words to codes and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from parvis.api.limits import Left
from parvis.base.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Problem,
    Refused,
    TooMany,
    Unauthenticated,
    Upstream,
)
from parvis.views.cards import ENCODE

log = structlog.get_logger()

CODES: tuple[tuple[type[Problem], int, str], ...] = (
    (NotFound, 404, "Record not found"),
    (Gone, 410, "This record has been deleted"),
    (Unauthenticated, 401, "The access token is invalid"),
    (Forbidden, 403, "This action is not allowed"),
    (Refused, 422, "A rule of this city does not allow this"),
    (Invalid, 422, "Validation failed"),
    (Conflict, 409, "Somebody else changed this at the same moment: please try again"),
    (TooMany, 429, "Too many requests"),
    (Upstream, 503, "Remote data could not be fetched"),
)
WORDS: Mapping[str, tuple[int, str]] = {
    "scope": (403, "This action is outside the authorized scopes"),
    "no_token": (401, "The access token is invalid"),
    "user_required": (422, "This method requires an authenticated user"),
    "app_required": (403, "This method requires a client credentials token"),
    "login_disabled": (403, "Your login is currently disabled"),
    "pending": (403, "Your login is currently pending approval"),
    "registrations_closed": (403, "This action is not allowed"),
    "not_invited": (403, "Only people whom a resident invites can settle here, and this is no invitation that counts"),
    "moved": (403, "You have moved to another account: this one can do it again once you take that back"),
    "moved_lately": (429, "You may move once in 30 days"),
    "archive_weekly": (429, "You may ask for an archive of what is yours once a week"),
    "invite_invalid": (401, "This invitation does not count any more"),
    "unconfirmed": (403, "Your login is missing a confirmed e-mail address"),
    "invalid_client": (401, "invalid_client"),
    "media_not_ready": (422, "Cannot attach files that have not finished processing. Try again in a moment!"),
    "media_mixed": (422, "Cannot attach a video or a sound to a post that already contains files"),
    "unauthorized_client": (403, "unauthorized_client"),
    "invalid_grant": (400, "invalid_grant"),
    "invalid_scope": (400, "invalid_scope"),
    "invalid_request": (400, "invalid_request"),
    "invalid_redirect_uri": (400, "invalid_redirect_uri"),
    "unsupported_grant_type": (400, "unsupported_grant_type"),
    "no_email_subscriptions": (404, "This account does not offer its posts by e-mail"),
    "unknown_stream": (400, "Unknown stream type"),
    "list_missing": (400, "Missing list name parameter"),
    "tag_missing": (400, "Missing tag name parameter"),
    "ground_required": (422, "A decision must cite an article of the charter: name one in article_ids"),
}
DESCRIPTIONS: Mapping[str, str] = {
    "invalid_grant": "The authorization code is invalid, expired, used before, or made for another client or address.",
    "invalid_scope": "The requested scope is invalid, unknown, or malformed.",
    "invalid_client": "Client authentication failed: unknown client, no client secret, or a wrong one.",
    "invalid_request": "The request is missing a parameter, or one of them is not supported.",
    "invalid_redirect_uri": "The redirect address is not one that this app registered.",
    "unsupported_grant_type": "Only authorization_code and client_credentials are supported.",
    "unauthorized_client": "You are not authorized to revoke this token.",
}
CAUSES: Mapping[str, str] = {
    "blank": "can't be blank", "missing": "is missing", "invalid": "is invalid", "too_long": "is too long",
    "too_large": "is too large", "too_many": "has too many entries", "ERR_TAKEN": "has already been taken",
    "ERR_INVALID": "is invalid", "ERR_RESERVED": "is reserved", "ERR_TOO_SHORT": "is too short",
    "ERR_TOO_LONG": "is too long", "ERR_BLANK": "can't be blank", "ERR_ACCEPTED": "must be accepted",
    "ERR_BLOCKED": "is not allowed", "ERR_BELOW_LIMIT": "is below the age limit",
    "not_found": "could not be found", "not_an_image": "is not an image we can read",
    "not_media": "is not an image, a video or a sound we can read",
    "too_many_frames": "has too many frames a second", "broken": "breaks off",
    "too_heavy": "takes too much to be read", "lost": "was lost",
    "too_many_pixels": "has too many pixels", "too_many_pins": "You have already pinned the maximum number of posts",
    "not_yours": "is not yours", "reblog": "is a reblog", "direct": "is a direct post",
    "too_deep": "is nested too deeply",
    "not_an_emoji": "is no emoji, neither of Unicode nor of this city",
    "too_many_reactions": "is one too many: an announcement has at most eight different reactions",
    "not_a_domain": "is not a domain name of another server",
    "no_context": "must be one or several of home, notifications, public, thread and account",
    "several_keywords": "belongs to a filter of several keywords, which only /api/v2/filters changes",
    "too_many_filtered": "is one too many: your filters may be 100, with 500 keywords and 1000 posts in all",
    "too_few": "must have more than one item",
    "duplicate": "contains duplicate items",
    "out_of_range": "is too short or too long",
    "already_voted": "You have already voted in this poll",
    "ended": "has already ended",
    "not_to_be_featured": "does not want to be in collections",
    "not_followed": "must be followed by you",
    "not_an_alias": "does not name your account as its own, too",
    "already_there": "is where you have moved to already",
    "moved_on": "has moved itself",
    "unavailable": "is not there any more",
    "yourself": "is this account itself",
    "ERR_PASSWORD": "is not your password",
    "own_poll": "is your own: you cannot vote in it",
    "too_soon": "must be at least 5 minutes in the future",
    "too_many_scheduled": "You have too many scheduled posts",
    "lives_elsewhere": "lives on another server, which is to be asked",
    "nothing_to_look_back_on": "is not over, or you wrote nothing in it",
    "too_many_that_day": "You have too many scheduled posts for that day",
}


def told(problem: Problem) -> tuple[int, dict[str, Any]]:
    """The code and body that tell a client of a problem."""
    code, sentence = next((code, text) for kind, code, text in CODES if isinstance(problem, kind))
    if problem.word in WORDS:
        code, sentence = WORDS[problem.word]
    elif isinstance(problem, Invalid):
        if problem.word == "missing":
            code, sentence = 400, f"param is missing or the value is empty: {problem.field}"
        else:
            shown = problem.field.replace("_", " ").capitalize()
            sentence = f"Validation failed: {shown} {CAUSES.get(problem.word, problem.word)}"
    elif isinstance(problem, Refused | Forbidden | Conflict) and problem.word not in ("not_yours",):
        sentence = f"{sentence} ({problem.word})"
    body: dict[str, Any] = {"error": sentence}
    if problem.word in DESCRIPTIONS:
        body["error_description"] = DESCRIPTIONS[problem.word]
    if isinstance(problem, Refused):
        body |= {"rule": problem.word, **problem.params}
    if isinstance(problem, Invalid) and problem.word.startswith("ERR_"):
        cause = CAUSES.get(problem.word, problem.word)
        body["details"] = {problem.field: [{"error": problem.word, "description": cause}]}
    return code, body


def answer(code: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(ENCODE.encode(body), code, dict(headers or {}), "application/json; charset=utf-8")


async def on_problem(request: Request, error: Exception) -> Response:
    """A problem of the house as JSON, with what is left of the limit that it was counted against."""
    if not isinstance(error, Problem):
        raise error
    code, body = told(error)
    if isinstance(error, TooMany):
        return answer(code, body, Left(error.most, 0, int(error.until.timestamp())).headers())
    return answer(code, body, getattr(request.state, "limits", None))


async def on_http(_: Request, error: Exception) -> Response:
    """Starlette's own errors as JSON."""
    if not isinstance(error, HTTPException):
        raise error
    return answer(error.status_code, {"error": error.detail}, error.headers)


async def on_crash(request: Request, error: Exception) -> Response:
    """A fault of ours: logged whole, told without a detail."""
    log.error("crash", method=request.method, path=request.url.path, exc_info=error)
    return answer(500, {"error": "Something went wrong on our side. Nothing was changed; please try again."})


async def on_away(request: Request, error: Exception) -> Response:
    """The database is not there. Whether what was asked was still done is unknown: an Idempotency-Key makes it sure."""
    log.warning("the database cannot be reached", method=request.method, path=request.url.path, error=str(error))
    sentence = "This server cannot reach its database at the moment. Please try again in a few seconds."
    return answer(503, {"error": sentence}, {"Retry-After": "5"})

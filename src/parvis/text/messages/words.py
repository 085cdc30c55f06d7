"""Stable words and the English message each is shown as; the catalogues translate the messages."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

STATES: Mapping[str, str] = {
    "draft": "Draft",
    "admissibility": "Legal check",
    "support": "Gathering signatures",
    "deliberation": "Under discussion",
    "frozen": "Text frozen",
    "vote": "Vote open",
    "contest": "Result open to challenge",
    "promulgated": "Adopted",
    "in_force": "In force",
    "review": "Under review",
    "repealed": "Repealed",
    "lapsed": "Lapsed",
    "refused": "Not admissible",
    "rejected": "Not adopted",
    "withdrawn": "Withdrawn",
}

LEVELS: Mapping[int, str] = {
    0: "No action",
    1: "Warning",
    2: "Label or content warning",
    3: "Reduced visibility, 30 days at most",
    4: "Removal of the content",
    5: "Posting freeze, 7 days at most",
    6: "Suspension, 90 days at most",
    7: "Exclusion",
}

SEVERITIES: Mapping[str, str] = {
    "silence": "limited to those who follow its people",
    "suspend": "kept out",
}

MENTIONS: Mapping[str, str] = {
    "very_good": "Very good",
    "good": "Good",
    "fairly_good": "Fairly good",
    "passable": "Passable",
    "insufficient": "Insufficient",
    "reject": "To be rejected",
}

STATUS_QUO = "Change nothing"
THIS_TEXT = "The proposed text"
NEW_ARTICLE = "A new article"

APPLIES: Mapping[str, str] = {
    "public_posts": "Public posts",
    "posts": "All posts",
    "profiles": "Profiles",
    "everything": "Everything that is published here",
    "procedure": "The procedure itself",
}

KINDS: Mapping[str, str] = {
    "charter": "Version %(number)s of the charter",
    "proposal": "Proposal",
    "decision": "Decision",
    "confirmation": "Second moderator’s confirmation",
    "measure": "A measure was lifted",
    "appeal": "Answer to an appeal",
    "domain": "A server was blocked",
    "lifting": "A moderator ended a measure early",
    "protection": "A protection of the city’s doors was changed",
    "hold": "A post that looked like spam was kept back, or came out",
    "appointment": "Moderators were appointed or dismissed",
}

PROPOSAL_IS = "Proposal: %(state)s"
REVIEW_IS_DUE = "A decision about a server is to be looked at again"

STEPS: Mapping[str, str] = {
    "support": "Signatures",
    "vote": "Vote",
    "contest": "Time to challenge the result",
    "promulgated": "Entry into the charter",
    "rejected": "Not adopted",
    "lapsed": "Lapsed",
}

OUTCOMES: Mapping[str, str] = {
    "uphold": "Appeal rejected: the decision stands",
    "overturn": "Appeal accepted: the decision is overturned",
}

SCOPES: Mapping[str, str] = {
    "read": "See what you can see",
    "write": "Write, share, follow and change your settings in your name",
    "follow": "Follow, mute and block accounts in your name",
    "push": "Send you notifications",
    "profile": "Read your name and your picture, nothing else",
    "admin:read": "See what moderators can see",
    "admin:write": "Take decisions as a moderator",
}

ERRORS: Mapping[int, tuple[str, str]] = {
    400: ("This request is not understood", "Something is missing from it, or is not in its place."),
    401: ("You need to sign in", "This page is for people who have an account here."),
    403: ("This is not yours to do", "You are signed in, but this page or this deed belongs to somebody else."),
    404: ("This page does not exist", "Its author may have removed it, or the address is incomplete."),
    410: ("This page is no longer here", "It existed and was deleted."),
    422: ("A rule of the city says no", "What you asked goes against the charter or was not filled in as expected."),
    429: ("A little slower, please", "Too many requests came from you in a short time. Try again in a few minutes."),
    500: ("Something broke on our side", "It is not your fault, and the fault has been noted. Try again in a moment."),
    503: ("The square is closed for a moment", "Work is under way. Come back in a few minutes."),
}

BROUGHT: Mapping[str, str] = {
    "following": "People you follow",
    "lists": "Your lists",
    "mutes": "People you mute",
    "blocks": "People you block",
    "domain_blocks": "Servers you block",
    "bookmarks": "Your bookmarks",
}

FIELD_ERRORS: Mapping[str, str] = {
    "ERR_BLANK": "This answer is missing.",
    "ERR_TAKEN": "This one is taken already.",
    "ERR_RESERVED": "This name is reserved.",
    "ERR_INVALID": "This is not written as expected.",
    "ERR_TOO_SHORT": "This is too short.",
    "ERR_TOO_LONG": "This is too long.",
    "ERR_ACCEPTED": "You need to accept this to go on.",
    "ERR_BLOCKED": "This e-mail provider is not accepted here.",
    "ERR_UNREACHABLE": "This e-mail address cannot receive mail.",
    "ERR_CODE": "This code is not right, or was used before. Type the one that is shown now.",
    "ERR_PASSKEY": "This passkey cannot be used here. Reload the page and try again, or use your password.",
    "ERR_PASSWORD": "This is not your password.",
    "ERR_FILE": "This is no such file, or it is empty or too long. It must be a CSV file as Mastodon writes it.",
    "ERR_BELOW_LIMIT": "You are too young to have an account here.",
    "ERR_INCLUSION": "Choose one of the answers in the list.",
}

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "csrf": ("This form has expired", "Go back, reload the page and send the form again. Nothing was changed."),
    "account_suspended": ("This account is suspended", "The decision and its reason are in the public register."),
    "pending": ("Your account waits for a moderator", "You will get a letter once somebody has let you in."),
    "registrations_closed": ("No accounts are made at the moment", "The city takes nobody new for the time being."),
    "not_invited": (
        "You need an invitation",
        "Only people whom a resident invites can settle here. Ask for a link, and open it before it is over.",
    ),
    "invite_invalid": (
        "This invitation is over",
        "It was used up or withdrawn, or its time is over. Ask whoever gave it to you for another.",
    ),
    "may_not_invite": ("You cannot invite", "Somebody under a measure, or who has moved away, invites nobody."),
    "too_many_invitations": (
        "You have many invitations", "Twenty of your invitations count already: withdraw one to make another."
    ),
    "archive_weekly": (
        "You have asked for your archive already", "An archive is put together once a week at most: it is much work."
    ),
    "moved": ("You have moved to another account", "This one can do it again once you take that back, with an app."),
    "login_disabled": ("You cannot sign in", "This account is disabled. Write to the city if you think this is wrong."),
    "invalid_request": (
        "This application is not known here",
        "It is not registered, or it asked in a way that we do not accept. Nothing was given to it.",
    ),
    "invalid_redirect_uri": (
        "This application wants its answer elsewhere",
        "It did not register the address to which the answer should go. Nothing was given to it.",
    ),
    "not_resident": (
        "Only residents can do this", "Your account is not attested as that of somebody who lives here."
    ),
    "case_closed": ("This case is closed", "It was decided meanwhile; nothing was added to it."),
    "not_on_the_roll": (
        "You are not on the roll of this vote", "Only people attested as residents before it opened can vote."
    ),
    "box_closed": ("This vote is closed", "No ballot was added."),
    "box_open": ("This vote is still open", "Nobody knows a result before the close."),
    "not_now": ("It is too late, or too early", "This proposal is not at that step. Nothing was changed."),
    "article_not_in_force": ("This article is not in force", "Only an article that applies today can be amended."),
    "no_email_subscriptions": (
        "These posts are not offered by e-mail", "Whose they are has not chosen to offer them, or no longer does."
    ),
    "no_charter": ("There is no charter yet", "Rules can be proposed once a first charter is laid."),
}

TOLD: Mapping[str, str] = {
    "mention": "%(name)s mentioned you",
    "status": "%(name)s has just posted",
    "reblog": "%(name)s shared your post",
    "follow": "%(name)s follows you now",
    "follow_request": "%(name)s asks to follow you",
    "favourite": "%(name)s likes your post",
    "poll": "A poll in which you took part is over",
    "update": "%(name)s edited a post that you shared",
    "quote": "%(name)s quoted your post",
    "quoted_update": "%(name)s edited a post that you quoted",
    "added_to_collection": "%(name)s put you in a collection",
    "collection_update": "%(name)s changed a collection in which you are",
    "severed_relationships": "Some of your followers or follows are lost",
    "restored_relationships": "Followers or follows that you had lost are back",
    "moderation_warning": "A decision about you was taken",
    "admin.report": "%(name)s reported somebody",
    "admin.sign_up": "%(name)s has settled here",
}
HELD = (
    "This post is kept back for now: only you see it. A moderator can let it out, and it comes out by itself after the "
    "time that the charter says. You can appeal. What was noticed:"
)
HELD_NOW = "Your post is kept back"
HELD_OUT = "Your post is out"
HELD_REMOVED = "Your post is removed by a decision"
RULES: Mapping[str, str] = {
    "young": "the account is young",
    "strangers": "it names people with whom its author has not spoken",
    "names": "it names many people",
    "links": "it leads to a site that young accounts spread these days",
    "alike": "it is almost the same as other posts",
    "burst": "its author posted much within an hour",
    "naming": "its author named very many people within a day",
}
LETTERS: Mapping[str, str] = {
    "follow": "Letters that tell you who follows you",
    "follow_request": "Letters that tell you who asks to follow you",
    "favourite": "Letters that tell you who likes your posts",
    "reblog": "Letters that tell you who shares your posts",
    "mention": "Letters that tell you who mentions you",
    "quote": "Letters that tell you who quotes you",
    "digest": "Letters that sum up who mentioned you while you were away",
}
UNKNOWN_TO_THE_APP = "Your app cannot show more of this. The city’s own pages can."

SIGN_IN_FAILED = "This address and this password do not go together."


def messages() -> list[str]:
    """Every English message a stable word is shown as."""
    tables = [
        STATES.values(),
        LEVELS.values(),
        SEVERITIES.values(),
        MENTIONS.values(),
        SCOPES.values(),
        APPLIES.values(),
        KINDS.values(),
        OUTCOMES.values(),
        STEPS.values(),
        BROUGHT.values(),
        FIELD_ERRORS.values(),
        TOLD.values(),
        LETTERS.values(),
        RULES.values(),
        *ERRORS.values(),
        *PROBLEMS.values(),
    ]
    single = (
        STATUS_QUO, PROPOSAL_IS, REVIEW_IS_DUE, THIS_TEXT, NEW_ARTICLE, SIGN_IN_FAILED, UNKNOWN_TO_THE_APP, HELD,
        HELD_NOW, HELD_OUT, HELD_REMOVED,
    )
    return [*chain.from_iterable(tables), *single]

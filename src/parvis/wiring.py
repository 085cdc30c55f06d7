"""The reaction table and the schedule. The only file that knows every room."""

from __future__ import annotations

from collections.abc import Mapping

from parvis.access import actions as doors
from parvis.access import model as access
from parvis.access import reactions as letters
from parvis.accounts import actions as people
from parvis.accounts import model as accounts
from parvis.accounts import reactions as belonging
from parvis.announcements import actions as news
from parvis.announcements import model as announcements
from parvis.base.db import Reactions
from parvis.base.jobs import Every
from parvis.borders import actions as advice
from parvis.borders import reactions as borders
from parvis.borders.model import ReviewDue
from parvis.charter import actions as rules
from parvis.charter import model as charter
from parvis.collections import model as collections
from parvis.composing import actions as composing
from parvis.factors import actions as factors
from parvis.federation import archives, delivery, featured, fetch, imports, inbox, outbox, relays, synchrony, threads
from parvis.federation.model import FollowersDiffer, KeyDoubted, ProfileMet, RelayPassed, RelayWanted, ThreadWanted
from parvis.filters import model as filters
from parvis.ledger import actions as ledger
from parvis.links import actions as pages
from parvis.links import reactions as previews
from parvis.media import actions as media
from parvis.media import reactions as workshop
from parvis.media.model import Uploaded
from parvis.moderation import actions as cases
from parvis.moderation import model as moderation
from parvis.moderation import reactions as measures
from parvis.notifications import model as told
from parvis.notifications import reactions as notifications
from parvis.notifications.channels import mail as post
from parvis.notifications.channels import push, subscribers
from parvis.peers.model import CameBack
from parvis.polls import actions as asking
from parvis.polls import model as polls
from parvis.portability import actions as portability
from parvis.portability import model as moving
from parvis.portability import reactions as coming
from parvis.quotes import model as quotes
from parvis.quotes import reactions as quoting
from parvis.screening import actions as screening
from parvis.screening import model as screened
from parvis.screening import reactions as quarantine
from parvis.search import actions as searching
from parvis.search import reactions as finding
from parvis.statuses import actions as posts
from parvis.statuses import model as statuses
from parvis.statuses import reactions as erasing
from parvis.streams import reactions as streams
from parvis.timelines import model as timelines
from parvis.timelines import reactions as shelves
from parvis.trends import actions as trends
from parvis.trends import reactions as counting
from parvis.years import model as years
from parvis.years import reactions as lookback

REACTIONS: Mapping[type, Reactions] = {
    access.SignedUp: Reactions(later=(letters.send_confirmation,)),
    access.Approved: Reactions(now=(coming.let_in,), later=(letters.send_approval,)),
    access.PasswordForgotten: Reactions(later=(letters.send_reset,)),
    access.AddressWished: Reactions(later=(letters.send_address,)),
    access.TokenRevoked: Reactions(now=(streams.revoked,)),
    access.ApplicationDeleted: Reactions(now=(streams.application_deleted,)),
    access.PasswordChanged: Reactions(now=(streams.locked_out,)),
    access.LoginDisabled: Reactions(now=(streams.locked_out,)),
    access.AddressConfirmed: Reactions(now=(notifications.confirmed, counting.confirmed, coming.let_in)),
    access.SignedIn: Reactions(now=(counting.signed_in,)),
    accounts.FollowRequested: Reactions(now=(notifications.follow_requested,), later=(outbox.follow_requested,)),
    accounts.Followed: Reactions(now=(notifications.followed,)),
    accounts.FollowAccepted: Reactions(later=(outbox.follow_accepted,)),
    accounts.FollowRejected: Reactions(now=(shelves.follow_rejected,), later=(outbox.follow_rejected,)),
    accounts.Unfollowed: Reactions(now=(notifications.unfollowed, shelves.unfollowed), later=(outbox.unfollowed,)),
    accounts.Blocked: Reactions(now=(notifications.blocked, shelves.blocked), later=(outbox.blocked,)),
    accounts.Unblocked: Reactions(later=(outbox.unblocked,)),
    accounts.DomainBlocked: Reactions(now=(notifications.domain_blocked, shelves.domain_blocked)),
    accounts.ProfileEdited: Reactions(
        now=(notifications.profile_edited,), later=(outbox.profile_edited, belonging.profile_edited)
    ),
    collections.AddedToCollection: Reactions(now=(notifications.added_to_collection,)),
    collections.LeftCollection: Reactions(now=(notifications.left_collection,)),
    collections.CollectionChanged: Reactions(now=(notifications.collection_changed,)),
    collections.CollectionDropped: Reactions(now=(notifications.collection_dropped,)),
    polls.PollVoted: Reactions(later=(outbox.poll_voted,)),
    polls.PollTallied: Reactions(later=(outbox.poll_tallied,)),
    polls.PollEnded: Reactions(now=(notifications.poll_ended,), later=(outbox.poll_ended, fetch.poll_ended)),
    accounts.AccountDeleted: Reactions(
        now=(shelves.account_deleted, streams.account_deleted),
        later=(workshop.account_deleted, outbox.account_deleted, finding.account_deleted, erasing.account_deleted,
               letters.account_deleted),
    ),
    statuses.Posted: Reactions(
        now=(
            notifications.posted,
            finding.posted,
            counting.posted,
            shelves.posted,
            streams.posted,
        ),
    ),
    statuses.Linked: Reactions(later=(previews.linked,)),
    statuses.PostedAbroad: Reactions(later=(outbox.posted,)),
    statuses.Edited: Reactions(
        now=(
            notifications.edited,
            finding.edited,
            shelves.edited,
            streams.edited,
        ),
        later=(outbox.edited, previews.edited),
    ),
    statuses.Deleted: Reactions(
        now=(quoting.deleted, finding.deleted, shelves.deleted, streams.deleted), later=(outbox.deleted,)
    ),
    statuses.PolicyChanged: Reactions(later=(outbox.policy_changed,)),
    statuses.Pinned: Reactions(later=(outbox.pinned,)),
    statuses.Unpinned: Reactions(later=(outbox.unpinned,)),
    statuses.Favourited: Reactions(now=(notifications.favourited,), later=(outbox.favourited,)),
    statuses.Unfavourited: Reactions(now=(notifications.unfavourited,), later=(outbox.unfavourited,)),
    statuses.Reblogged: Reactions(
        now=(notifications.reblogged, streams.reblogged),
        later=(outbox.reblogged,),
    ),
    statuses.Unreblogged: Reactions(
        now=(notifications.unreblogged, streams.unreblogged),
        later=(outbox.unreblogged,),
    ),
    told.Notified: Reactions(now=(streams.notified,), later=(notifications.bring,)),
    told.RequestsAccepted: Reactions(now=(streams.merged,)),
    filters.FiltersChanged: Reactions(now=(streams.filters_changed,)),
    announcements.Announced: Reactions(now=(streams.announced,)),
    announcements.AnnouncementReacted: Reactions(now=(streams.announcement_reacted,)),
    announcements.AnnouncementWithdrawn: Reactions(now=(streams.announcement_withdrawn,)),
    told.PushDue: Reactions(later=(push.deliver,)),
    told.LetterDue: Reactions(later=(post.tell,)),
    told.DigestDue: Reactions(later=(post.send_digest,)),
    told.SubscriptionAsked: Reactions(later=(subscribers.send_confirmation,)),
    told.NewsDue: Reactions(later=(subscribers.spread,)),
    told.NewsLetterDue: Reactions(later=(subscribers.send,)),
    timelines.TagFeatured: Reactions(later=(outbox.tag_featured,)),
    timelines.TagUnfeatured: Reactions(later=(outbox.tag_unfeatured,)),
    timelines.ConversationTouched: Reactions(now=(streams.conversation_touched,)),
    quotes.QuoteRequested: Reactions(later=(outbox.quote_requested,)),
    quotes.QuoteAccepted: Reactions(now=(notifications.quoted, streams.quote_settled), later=(outbox.quote_accepted,)),
    quotes.QuoteRefused: Reactions(later=(outbox.quote_refused,)),
    quotes.QuoteRevoked: Reactions(now=(streams.quote_settled,), later=(outbox.quote_revoked,)),
    Uploaded: Reactions(later=(workshop.make,)),
    moving.ArchiveAsked: Reactions(later=(archives.write,)),
    moving.ArchiveReady: Reactions(later=(coming.send_archive,)),
    moving.Moved: Reactions(later=(outbox.moved, coming.moved)),
    KeyDoubted: Reactions(later=(inbox.renew_key,)),
    ProfileMet: Reactions(later=(featured.read,)),
    ThreadWanted: Reactions(later=(threads.complete,)),
    RelayWanted: Reactions(later=(relays.subscribe,)),
    RelayPassed: Reactions(later=(relays.take,)),
    CameBack: Reactions(later=(outbox.came_back,)),
    FollowersDiffer: Reactions(later=(synchrony.synchronise,)),
    years.YearAsked: Reactions(later=(lookback.make,)),
    charter.ProposalOpened: Reactions(),
    charter.ProposalLapsed: Reactions(),
    charter.VoteOpened: Reactions(),
    charter.VoteClosed: Reactions(),
    charter.Promulgated: Reactions(),
    moderation.Reported: Reactions(now=(measures.reported,), later=(outbox.reported,)),
    moderation.Decided: Reactions(now=(measures.warned,), later=(measures.send_statement,)),
    moderation.MeasureTaken: Reactions(now=(streams.measured,), later=(outbox.measured,)),
    moderation.MeasureLifted: Reactions(now=(quarantine.measure_lifted,)),
    moderation.DomainDecided: Reactions(),
    moderation.DomainMeasured: Reactions(now=(borders.measured,)),
    ReviewDue: Reactions(later=(borders.send_reminder,)),
    moderation.Appealed: Reactions(),
    moderation.AppealDecided: Reactions(now=(quarantine.appeal_decided,)),
    screened.Held: Reactions(now=(quarantine.told,)),
    screened.HoldEnded: Reactions(),
}

SCHEDULE: tuple[tuple[float, Every], ...] = (
    (0.1, inbox.receive),
    (0.1, delivery.deliver),
    (0.2, ledger.sequence),
    (0.2, cases.execute),
    (0.5, cases.lift),
    (0.5, rules.sweep),
    (1.0, news.sweep),
    (2.0, people.fold_counts),
    (2.0, posts.fold_counts),
    (2.0, trends.fold_uses),
    (10.0, searching.catch_up),
    (60.0, trends.count_links),
    (300.0, trends.rank),
    (3600.0, trends.forget),
    (2.0, asking.fold_counts),
    (1.0, asking.sweep),
    (1.0, imports.work),
    (1.0, composing.publish_due),
    (5.0, screening.sweep),
    (3600.0, screening.forget),
    (1.0, pages.fetch_due),
    (60.0, media.burn),
    (600.0, post.note_digests),
    (3600.0, doors.forget_old),
    (3600.0, factors.forget_old),
    (3600.0, portability.forget_archives),
    (3600.0, push.prune),
    (3600.0, subscribers.forget),
    (3600.0, media.forget_stale),
    (3600.0, delivery.prune),
    (60.0, delivery.probe),
    (3600.0, posts.forget_translations),
    (30.0, doors.sweep),
    (60.0, advice.remind),
    (60.0, advice.read_lists),
)

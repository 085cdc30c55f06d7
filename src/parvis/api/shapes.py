"""What each entity is made of, as facts: clients rely on them, the document tells them, tests hold answers to them.

Source of the facts: Mastodon's API documentation for 4.6 (docs.joinmastodon.org, entities), names and types only.
"""

from __future__ import annotations

# name=type, `?` where it may be null, `~` where it may be missing; `a.b` is b inside the hash a. Types: s string,
# u URL, t moment, d day, i integer, f number, b boolean, h hash, [x] list of x, or another entity.
ENTITIES = {
    "Account": """
        id=s username=s acct=s url=u? uri=u display_name=s note=s avatar=u avatar_static=u avatar_description=s header=u
        header_static=u header_description=s locked=b fields=[Field] emojis=[CustomEmoji] bot=b group=b discoverable=b?
        indexable=b noindex=b?~ moved=Account?~ memorial=b~ suspended=b~ limited=b~ created_at=t last_status_at=d?
        statuses_count=i followers_count=i following_count=i hide_collections=b? show_media=b show_media_replies=b
        show_featured=b email_subscriptions=b~ roles=[AccountRole]? feature_approval=FeatureApproval
    """,
    "CredentialAccount": """
        source=h source.attribution_domains=[s] source.note=s source.fields=[Field] source.privacy=s source.sensitive=b
        source.language=s source.follow_requests_count=i source.hide_collections=b? source.discoverable=b?
        source.indexable=b source.quote_policy=s role=Role
    """,
    "MutedAccount": """
        mute_expires_at=t?
    """,
    "AccountRole": """
        id=s name=s color=s
    """,
    "Field": """
        name=s value=s verified_at=t?
    """,
    "AccountWarning": """
        id=s action=s text=s status_ids=[s]? target_account=Account appeal=h? created_at=t
    """,
    "Admin_Account": """
        id=s username=s domain=s? created_at=t email=s ip=s? ips=[h] locale=s invite_request=s? role=Role confirmed=b
        approved=b disabled=b sensitized=b silenced=b suspended=b account=Account created_by_application_id=s~
        invited_by_account_id=s~
    """,
    "Admin_Report": """
        id=s action_taken=b action_taken_at=t? category=s comment=s forwarded=b created_at=t updated_at=t
        account=Admin_Account target_account=Admin_Account assigned_account=Admin_Account?
        action_taken_by_account=Admin_Account? statuses=[Status] rules=[Rule]
    """,
    "Application": """
        id=s name=s website=u?~ scopes=[s] redirect_uris=[s] redirect_uri=s vapid_key=s
    """,
    "CredentialApplication": """
        client_id=s client_secret=s client_secret_expires_at=i
    """,
    "Context": """
        ancestors=[Status] descendants=[Status]
    """,
    "CustomEmoji": """
        shortcode=s url=u static_url=u visible_in_picker=b category=s?
    """,
    "Error": """
        error=s error_description=s~
    """,
    "FamiliarFollowers": """
        id=s accounts=[Account]
    """,
    "FeatureApproval": """
        automatic=[s] manual=[s] current_user=s
    """,
    "Instance": """
        domain=s title=s version=s source_url=u description=s wrapstodon=s? usage=h usage.users=h
        usage.users.active_month=i thumbnail=h thumbnail.url=u thumbnail.description=s thumbnail.blurhash=s~
        thumbnail.versions=h~ thumbnail.versions.@1x=u~ thumbnail.versions.@2x=u~ icon=[InstanceIcon] languages=[s]
        configuration=h configuration.urls=h configuration.urls.streaming=u configuration.urls.status=u?
        configuration.urls.about=u configuration.urls.privacy_policy=u? configuration.urls.terms_of_service=u?
        configuration.vapid=h configuration.vapid.public_key=s configuration.accounts=h
        configuration.accounts.max_display_name_length=i
        configuration.accounts.max_note_length=i configuration.accounts.max_avatar_description_length=i
        configuration.accounts.max_header_description_length=i configuration.accounts.max_featured_tags=i
        configuration.accounts.max_pinned_statuses=i configuration.accounts.max_profile_fields=i
        configuration.accounts.profile_field_name_limit=i configuration.accounts.profile_field_value_limit=i
        configuration.statuses=h configuration.statuses.max_characters=i configuration.statuses.max_media_attachments=i
        configuration.statuses.characters_reserved_per_url=i configuration.media_attachments=h
        configuration.media_attachments.supported_mime_types=[s] configuration.media_attachments.description_limit=i
        configuration.media_attachments.image_size_limit=i configuration.media_attachments.image_matrix_limit=i
        configuration.media_attachments.video_size_limit=i configuration.media_attachments.video_frame_rate_limit=i
        configuration.media_attachments.video_matrix_limit=i configuration.polls=h configuration.polls.max_options=i
        configuration.polls.max_characters_per_option=i configuration.polls.min_expiration=i
        configuration.polls.max_expiration=i configuration.translation=h configuration.translation.enabled=b
        configuration.timelines_access=h configuration.timelines_access.live_feeds=h
        configuration.timelines_access.live_feeds.local=s configuration.timelines_access.live_feeds.remote=s
        configuration.timelines_access.hashtag_feeds=h configuration.timelines_access.hashtag_feeds.local=s
        configuration.timelines_access.hashtag_feeds.remote=s configuration.timelines_access.trending_link_feeds=h
        configuration.timelines_access.trending_link_feeds.local=s
        configuration.timelines_access.trending_link_feeds.remote=s configuration.limited_federation=b registrations=h
        registrations.enabled=b registrations.approval_required=b registrations.message=s? registrations.min_age=i?
        registrations.reason_required=b? registrations.url=u? api_versions=h api_versions.mastodon=i contact=h
        contact.email=s contact.account=Account? rules=[Rule]
    """,
    "InstanceIcon": """
        src=s size=s
    """,
    "MediaAttachment": """
        id=s type=s url=u? preview_url=u? remote_url=u? meta=h? meta.focus=h?~ meta.focus.x=f? meta.focus.y=f?
        description=s? blurhash=s? text_url=u?~
    """,
    "Notification": """
        id=s type=s group_key=s created_at=t account=Account status=Status~ report=Report~ event=h~
        moderation_warning=AccountWarning~ fallback=h~ collection=h~
    """,
    "Preferences": """
        posting:default:visibility=s posting:default:sensitive=b posting:default:language=s? reading:expand:media=s
        reading:expand:spoilers=b
    """,
    "QuoteApproval": """
        automatic=[s] manual=[s] current_user=s
    """,
    "Relationship": """
        id=s following=b showing_reblogs=b notifying=b languages=[s]? followed_by=b blocking=b blocked_by=b muting=b
        muting_notifications=b muting_expires_at=t? requested=b requested_by=b domain_blocking=b endorsed=b note=s
    """,
    "Report": """
        id=s action_taken=b action_taken_at=t? category=s comment=s forwarded=b created_at=t status_ids=[s]?
        collection_ids=[s]? rule_ids=[s]? target_account=Account
    """,
    "Role": """
        id=s name=s color=s permissions=s highlighted=b collection_limit=i
    """,
    "Rule": """
        id=s text=s hint=s translations=h
    """,
    "Search": """
        accounts=[Account] statuses=[Status] hashtags=[Tag]
    """,
    "ShallowTag": """
        name=s url=u
    """,
    "Status": """
        id=s uri=s created_at=t account=Account content=s visibility=s sensitive=b spoiler_text=s
        media_attachments=[MediaAttachment] application=h~ application.name=s application.website=u? mentions=[Mention]
        tags=[ShallowTag] emojis=[CustomEmoji] reblogs_count=i favourites_count=i quotes_count=i replies_count=i url=u?
        in_reply_to_id=s? in_reply_to_account_id=s? reblog=Status? poll=Poll? card=PreviewCard? language=s? text=s?
        edited_at=t?
        quote=h? quote_approval=QuoteApproval favourited=b~ reblogged=b~ muted=b~ bookmarked=b~ pinned=b~
        filtered=[FilterResult]~
        tagged_collections=[h]
    """,
    "Mention": """
        id=s username=s url=u acct=s
    """,
    "StatusEdit": """
        content=s spoiler_text=s sensitive=b created_at=t account=Account poll=h~ media_attachments=[MediaAttachment]
        emojis=[CustomEmoji] quote=h?~
    """,
    "StatusSource": """
        id=s text=s spoiler_text=s
    """,
    "Tag": """
        id=s name=s url=u history=[TagDay] following=b~ featuring=b~
    """,
    "TagDay": """
        day=s uses=s accounts=s
    """,
    "Token": """
        access_token=s token_type=s scope=s created_at=i
    """,
    "V1_Instance": """
        uri=s title=s short_description=s description=s email=s version=s urls=h urls.streaming_api=u stats=h
        stats.user_count=i stats.status_count=i stats.domain_count=i thumbnail=u? languages=[s] registrations=b
        approval_required=b invites_enabled=b configuration=h configuration.accounts=h
        configuration.accounts.max_featured_tags=i configuration.statuses=h configuration.statuses.max_characters=i
        configuration.statuses.max_media_attachments=i configuration.statuses.characters_reserved_per_url=i
        configuration.media_attachments=h configuration.media_attachments.supported_mime_types=[s]
        configuration.media_attachments.image_size_limit=i configuration.media_attachments.image_matrix_limit=i
        configuration.media_attachments.video_size_limit=i configuration.media_attachments.video_frame_rate_limit=i
        configuration.media_attachments.video_matrix_limit=i configuration.polls=h configuration.polls.max_options=i
        configuration.polls.max_characters_per_option=i configuration.polls.min_expiration=i
        configuration.polls.max_expiration=i contact_account=Account? rules=[Rule]
    """,
    "Admin_CanonicalEmailBlock": """
        id=s canonical_email_hash=s
    """,
    "Admin_Cohort": """
        period=t frequency=s data=[CohortData]
    """,
    "CohortData": """
        date=t rate=f value=s
    """,
    "Admin_Dimension": """
        key=s data=[DimensionData]
    """,
    "DimensionData": """
        key=s human_key=s value=s unit=s~ human_value=s~
    """,
    "Admin_DomainAllow": """
        id=s domain=s created_at=t
    """,
    "Admin_DomainBlock": """
        id=s domain=s digest=s created_at=t severity=s reject_media=b reject_reports=b private_comment=s?
        public_comment=s? obfuscate=b
    """,
    "Admin_EmailDomainBlock": """
        id=s domain=s created_at=t history=[TagDay]
    """,
    "Admin_Ip": """
        ip=s used_at=t
    """,
    "Admin_IpBlock": """
        id=s ip=s severity=s comment=s created_at=t expires_at=t?
    """,
    "Admin_Measure": """
        key=s unit=s? total=s human_value=s~ previous_total=s~ data=[MeasureDay]
    """,
    "MeasureDay": """
        date=t value=s
    """,
    "Announcement": """
        id=s content=s starts_at=t? ends_at=t? all_day=b published_at=t updated_at=t read=b~ mentions=[Mention]
        statuses=[AnnouncedStatus] tags=[ShallowTag] emojis=[CustomEmoji] reactions=[Reaction]
    """,
    "AnnouncedStatus": """
        id=s url=u
    """,
    "AnnualReport": """
        year=i data=h data.archetype=s data.type_distribution=h~ data.top_statuses=h data.most_used_apps=[h]~
        data.commonly_interacted_with_accounts=[h]~ data.time_series=[h] data.top_hashtags=[h]
        data.most_reblogged_accounts=[h]~ data.percentiles=f~ schema_version=i share_url=u? account_id=s
    """,
    "WrappedAnnualReports": """
        annual_reports=[AnnualReport] accounts=[Account] statuses=[Status]
    """,
    "Appeal": """
        text=s state=s
    """,
    "Alias": """
        uri=u account=Account?
    """,
    "Archive": """
        id=s created_at=t ready_at=t? size=i? url=u?
    """,
    "AsyncRefresh": """
        id=s status=s result_count=i?
    """,
    "Collection": """
        id=s account_id=s uri=u url=u? name=s description=s language=s? local=b sensitive=b discoverable=b
        tag=ShallowTag?
        created_at=t updated_at=t item_count=i items=[CollectionItem]
    """,
    "WrappedCollection": """
        collection=Collection
    """,
    "Collections": """
        collections=[Collection]
    """,
    "CollectionItem": """
        id=s account_id=s? state=s created_at=t
    """,
    "WrappedCollectionItem": """
        collection_item=CollectionItem
    """,
    "CollectionWithAccounts": """
        accounts=[Account] collection=Collection
    """,
    "Conversation": """
        id=s unread=b accounts=[Account] last_status=Status?
    """,
    "DomainBlock": """
        domain=s digest=s severity=s comment=s~
    """,
    "ExtendedDescription": """
        updated_at=t content=s
    """,
    "FeaturedTag": """
        id=s name=s url=u statuses_count=s last_status_at=d?
    """,
    "Filter": """
        id=s title=s context=[s] expires_at=t? filter_action=s keywords=[FilterKeyword]~ statuses=[FilterStatus]~
    """,
    "FilterKeyword": """
        id=s keyword=s whole_word=b
    """,
    "FilterResult": """
        filter=Filter keyword_matches=[s]? status_matches=[s]?
    """,
    "FilterStatus": """
        id=s status_id=s
    """,
    "GroupedNotificationsResults": """
        accounts=[Account] partial_accounts=[PartialAccount]~ statuses=[Status] notification_groups=[NotificationGroup]
    """,
    "PartialAccount": """
        id=s acct=s url=u avatar=u avatar_static=u locked=b bot=b
    """,
    "NotificationGroup": """
        group_key=s notifications_count=i type=s most_recent_notification_id=i page_min_id=s~ page_max_id=s~
        latest_page_notification_at=t~ sample_account_ids=[s] status_id=s?~ report=Report~ event=h~
        moderation_warning=AccountWarning~ fallback=h~ collection=h~
    """,
    "List": """
        id=s title=s replies_policy=s exclusive=b
    """,
    "Marker": """
        last_read_id=s version=i updated_at=t
    """,
    "NotificationPolicy": """
        for_not_following=s for_not_followers=s for_new_accounts=s for_private_mentions=s for_limited_accounts=s
        summary=h summary.pending_requests_count=i summary.pending_notifications_count=i
    """,
    "NotificationRequest": """
        id=s created_at=t updated_at=t account=Account notifications_count=s last_status=Status?~
    """,
    "Poll": """
        id=s expires_at=t? expired=b multiple=b votes_count=i voters_count=i? options=[PollOption] emojis=[CustomEmoji]
        voted=b~ own_votes=[i]~
    """,
    "PollOption": """
        title=s votes_count=i?
    """,
    "PreviewCard": """
        url=u title=s description=s type=s authors=[PreviewCardAuthor] author_name=s author_url=s provider_name=s
        provider_url=s html=s width=i height=i image=u? embed_url=s blurhash=s? missing_attribution=b?~
        published_at=t?~
    """,
    "TrendsLink": """
        history=[TagDay]
    """,
    "PreviewCardAuthor": """
        name=s url=s account=Account?
    """,
    "PrivacyPolicy": """
        updated_at=t content=s
    """,
    "Profile": """
        id=s display_name=s note=s fields=[Field] avatar=u? avatar_static=u? avatar_description=s header=u?
        header_static=u? header_description=s locked=b bot=b hide_collections=b? discoverable=b? indexable=b
        show_media=b show_media_replies=b show_featured=b email_subscriptions=b~ attribution_domains=[s]
    """,
    "Quote": """
        state=s quoted_status=Status?
    """,
    "Reaction": """
        name=s count=i me=b~ url=u~ static_url=u~
    """,
    "ScheduledStatus": """
        id=s scheduled_at=t params=h params.text=s params.poll=h? params.media_ids=[s]? params.sensitive=b?
        params.spoiler_text=s? params.visibility=s? params.in_reply_to_id=s? params.language=s? params.application_id=i?
        params.idempotency=s? params.with_rate_limit=b media_attachments=[MediaAttachment]
    """,
    "ShallowQuote": """
        state=s quoted_status_id=s?
    """,
    "Suggestion": """
        source=s sources=[s] account=Account
    """,
    "TermsOfService": """
        effective_date=d effective=b content=s succeeded_by=d?
    """,
    "Translation": """
        content=s spoiler_text=s language=s poll=TranslatedPoll?~ media_attachments=[TranslatedFile]
        detected_source_language=s provider=s
    """,
    "TranslatedPoll": """
        id=s options=[TranslatedOption]
    """,
    "TranslatedOption": """
        title=s
    """,
    "TranslatedFile": """
        id=s description=s
    """,
    "V1_Filter": """
        id=s phrase=s context=[s] expires_at=t? irreversible=b whole_word=b
    """,
    "WebPushSubscription": """
        id=s endpoint=u standard=b server_key=s alerts=h alerts.mention=b alerts.status=b alerts.reblog=b
        alerts.follow=b
        alerts.follow_request=b alerts.favourite=b alerts.poll=b alerts.update=b alerts.admin.sign_up=b~
        alerts.admin.report=b~
    """,
    "Count": """
        count=i
    """,
    "Empty": "",
}
# An entity that has all of another's attributes, too.
WIDER = {"CredentialAccount": "Account", "MutedAccount": "Account", "CredentialApplication": "Application",
         "TrendsLink": "PreviewCard"}

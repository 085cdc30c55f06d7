-- Notifications: numbers that JavaScript can hold, groups, policies and requests, what else they tell of; push and letters.

-- An app reads `most_recent_notification_id` and a push message's `notification_id` as numbers, and JavaScript rounds
-- those above 2^53: these ids are counted, not made from the time (see the decision records).
CREATE SEQUENCE notification_ids OWNED BY notifications.id;
UPDATE notifications n SET id = o.place
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM notifications) o WHERE o.id = n.id;
SELECT setval('notification_ids', coalesce(max(id), 0) + 1, false) FROM notifications;
ALTER TABLE notifications
    ALTER COLUMN id SET DEFAULT nextval('notification_ids'),
    ADD COLUMN group_key text COLLATE "C",         -- null: it stands alone
    ADD COLUMN filtered boolean NOT NULL DEFAULT false,
    ADD COLUMN report_id bigint,                   -- what an admin.report tells of
    ADD COLUMN severance_id bigint,                -- what a severed_relationships tells of
    ADD COLUMN collection_id bigint;
UPDATE notifications SET group_key =
    concat_ws('-', kind, status_id, floor(extract(epoch FROM created_at) / 43200)::bigint * 12)
    WHERE kind IN ('favourite', 'reblog', 'follow', 'admin.sign_up');

DROP INDEX notifications_once;
CREATE UNIQUE INDEX notifications_once ON notifications
    (account_id, kind, from_account_id, coalesce(status_id, decision_id, report_id, severance_id, collection_id, 0));
CREATE INDEX notifications_groups ON notifications (account_id, group_key, id DESC) WHERE group_key IS NOT NULL;
CREATE INDEX notifications_filtered ON notifications (account_id, from_account_id, id DESC) WHERE filtered;

-- Whose notifications somebody takes at once, sees on request, or never; no row: as it is for everybody at first.
CREATE TABLE notification_policies (
    account_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    for_not_following text NOT NULL CHECK (for_not_following IN ('accept', 'filter', 'drop')),
    for_not_followers text NOT NULL CHECK (for_not_followers IN ('accept', 'filter', 'drop')),
    for_new_accounts text NOT NULL CHECK (for_new_accounts IN ('accept', 'filter', 'drop')),
    for_private_mentions text NOT NULL CHECK (for_private_mentions IN ('accept', 'filter', 'drop')),
    for_limited_accounts text NOT NULL CHECK (for_limited_accounts IN ('accept', 'filter', 'drop'))
);

-- Who wrote to somebody and was filtered: waits for an answer.
CREATE TABLE notification_requests (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    from_account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    last_status_id bigint REFERENCES statuses ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    updated_at timestamptz NOT NULL DEFAULT parvis_now(),
    UNIQUE (account_id, from_account_id)
);
CREATE INDEX notification_requests_page ON notification_requests (account_id, id DESC);
CREATE INDEX notification_requests_status ON notification_requests (last_status_id) WHERE last_status_id IS NOT NULL;

-- Whose request was accepted: the policy no longer looks at them.
CREATE TABLE notification_permissions (
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    from_account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    PRIMARY KEY (account_id, from_account_id)
);

-- Follows that ended by no wish of those who followed: with which account or server, and how many.
CREATE TABLE severances (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    kind text NOT NULL CHECK (kind IN ('domain_block', 'user_domain_block', 'account_suspension')),
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    target_name text NOT NULL,
    followers integer NOT NULL,
    following integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX severances_account ON severances (account_id);

GRANT USAGE ON SEQUENCE notification_ids TO parvis_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON notification_policies, notification_requests, notification_permissions, severances
    TO parvis_app;

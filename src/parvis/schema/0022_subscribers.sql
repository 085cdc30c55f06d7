-- Who receives somebody's public posts by letter, without an account of their own.

ALTER TABLE accounts ADD COLUMN email_subscriptions boolean NOT NULL DEFAULT false;  -- do they offer it?
GRANT UPDATE (email_subscriptions) ON accounts TO parvis_app;

CREATE TABLE email_subscribers (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    email citext NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT parvis_now(),
    asked smallint NOT NULL DEFAULT 1,             -- how often they were sent the letter that asks to confirm
    confirmed_at timestamptz,                      -- null: nothing is sent but that letter, and after a day it is forgotten
    UNIQUE (account_id, email)
);
CREATE INDEX email_subscribers_reached ON email_subscribers (account_id, id) WHERE confirmed_at IS NOT NULL;
CREATE INDEX email_subscribers_waiting ON email_subscribers (email) WHERE confirmed_at IS NULL;

-- Posts that are on their way to subscribers, and the last one whose letter is already a job.
CREATE TABLE news_due (
    status_id bigint PRIMARY KEY REFERENCES statuses ON DELETE CASCADE,
    after bigint NOT NULL DEFAULT 0
);

GRANT SELECT, INSERT, UPDATE, DELETE ON email_subscribers, news_due TO parvis_app;

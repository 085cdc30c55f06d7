-- How somebody is reached who is not looking: by a push service, and by letter.

CREATE TABLE push_subscriptions (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    token_id bigint UNIQUE NOT NULL REFERENCES tokens ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    endpoint text NOT NULL,
    p256dh bytea NOT NULL CHECK (length(p256dh) = 65),
    auth bytea NOT NULL CHECK (length(auth) = 16),
    standard boolean NOT NULL,                     -- RFC 8291; false: its draft, aesgcm
    alerts text[] NOT NULL,
    policy text NOT NULL CHECK (policy IN ('all', 'followed', 'follower', 'none')),
    token_sealed bytea NOT NULL,                   -- goes with each message; the seal's key is not in the database
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX push_subscriptions_account ON push_subscriptions (account_id);

-- Of what somebody is told by letter; no row: of mentions and requests while they are away, and a digest.
CREATE TABLE letter_preferences (
    account_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    follow text NOT NULL DEFAULT 'never' CHECK (follow IN ('never', 'away', 'always')),
    follow_request text NOT NULL DEFAULT 'away' CHECK (follow_request IN ('never', 'away', 'always')),
    favourite text NOT NULL DEFAULT 'never' CHECK (favourite IN ('never', 'away', 'always')),
    reblog text NOT NULL DEFAULT 'never' CHECK (reblog IN ('never', 'away', 'always')),
    mention text NOT NULL DEFAULT 'away' CHECK (mention IN ('never', 'away', 'always')),
    quote text NOT NULL DEFAULT 'never' CHECK (quote IN ('never', 'away', 'always')),
    digest boolean NOT NULL DEFAULT true,
    letter_at timestamptz,                         -- the last letter of one thing
    digest_at timestamptz                          -- the last digest
);

GRANT SELECT, INSERT, UPDATE, DELETE ON push_subscriptions, letter_preferences TO parvis_app;

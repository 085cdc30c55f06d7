-- The second factor has a table of its own (factors/); what signs nobody in costs the others nothing.

ALTER TABLE users DROP COLUMN totp_sealed, DROP COLUMN totp_at, DROP COLUMN totp_step;
CREATE TABLE totps (
    account_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    sealed bytea NOT NULL,                         -- shared with an app that counts (RFC 6238); the key is elsewhere
    proved_at timestamptz,                         -- null: the secret is shown, but was not proved yet
    last_step bigint NOT NULL DEFAULT 0            -- a code works once
);
GRANT SELECT, INSERT, UPDATE, DELETE ON totps TO parvis_app;

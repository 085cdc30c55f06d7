-- What the city itself says to other servers (federation/) is signed by its own actor, which is no account.
ALTER TABLE outgoing ALTER COLUMN account_id DROP NOT NULL;

-- Relays that this city has asked to pass open posts on, both ways (federation/).
CREATE TABLE relays (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    actor text UNIQUE NOT NULL,
    account_id bigint UNIQUE REFERENCES accounts ON DELETE CASCADE,  -- null: not met yet
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'accepted', 'refused')),
    asked_at timestamptz NOT NULL DEFAULT parvis_now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON relays TO parvis_app;

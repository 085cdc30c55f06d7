-- Who has moved to which other account, and when: out of this city as its people say, in as other servers say (portability/).
CREATE TABLE moves (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    target_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    CHECK (account_id <> target_id)
);
CREATE INDEX moves_account ON moves (account_id, created_at DESC);
GRANT SELECT, INSERT ON moves TO parvis_app;

ALTER TABLE accounts ADD CONSTRAINT accounts_move_elsewhere CHECK (moved_to_id <> id);
-- Who mutes somebody: asked when that one moves.
CREATE INDEX mutes_target ON mutes (target_id);

-- Whom one could follow (search/): the directory's two orders, who is followed most, and whom somebody does not want to be
-- shown again.
CREATE TABLE suggestion_dismissals (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    target_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    PRIMARY KEY (account_id, target_id)
);
CREATE INDEX accounts_directory_active ON accounts (last_status_at DESC NULLS LAST, id DESC)
    WHERE discoverable AND deleted_at IS NULL AND suspended_at IS NULL AND limited_at IS NULL AND moved_to_id IS NULL;
CREATE INDEX accounts_directory_new ON accounts (id DESC)
    WHERE discoverable AND deleted_at IS NULL AND suspended_at IS NULL AND limited_at IS NULL AND moved_to_id IS NULL;
CREATE INDEX account_counts_followers ON account_counts (followers DESC, account_id);

GRANT SELECT, INSERT, DELETE ON suggestion_dismissals TO parvis_app;

-- What a profile shows and who recommends whom; collections of people; second factors and signed-in browsers;
-- invitations; imports and archives.

ALTER TABLE accounts
    ADD COLUMN show_media boolean NOT NULL DEFAULT true,
    ADD COLUMN show_media_replies boolean NOT NULL DEFAULT true,
    ADD COLUMN show_featured boolean NOT NULL DEFAULT true,
    ADD COLUMN attribution_domains text[] NOT NULL DEFAULT '{}',
    ADD COLUMN feature_automatic text[] NOT NULL DEFAULT '{}',  -- of other servers' people: who may put them in a collection
    ADD COLUMN invited_by_id bigint REFERENCES accounts;
GRANT INSERT (show_media, show_media_replies, show_featured, attribution_domains, feature_automatic, invited_by_id),
    UPDATE (show_media, show_media_replies, show_featured, attribution_domains, feature_automatic)
    ON accounts TO parvis_app;
CREATE INDEX accounts_invited_by ON accounts (invited_by_id) WHERE invited_by_id IS NOT NULL;

-- Whom somebody recommends on their profile: only people they follow, and no longer than that.
CREATE TABLE endorsements (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL,
    target_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    PRIMARY KEY (account_id, target_id),
    FOREIGN KEY (account_id, target_id) REFERENCES follows (account_id, target_id) ON DELETE CASCADE
);

CREATE TABLE collections (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    description text NOT NULL DEFAULT '',
    language text,
    sensitive boolean NOT NULL DEFAULT false,
    discoverable boolean NOT NULL DEFAULT true,
    tag text,                                      -- as it was typed, without #
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    updated_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX collections_account ON collections (account_id, id DESC);

-- Who is in a collection. One who took themselves out stays as such: nobody puts them in again.
CREATE TABLE collection_items (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    collection_id bigint NOT NULL REFERENCES collections ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'accepted' CHECK (state IN ('accepted', 'revoked')),
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    UNIQUE (collection_id, account_id)
);
CREATE INDEX collection_items_account ON collection_items (account_id, id DESC);

-- The second factor: a secret shared with an app that counts (RFC 6238), sealed with a key that is not in the database;
-- the last step that was used works no second time.
ALTER TABLE users
    ADD COLUMN totp_sealed bytea,
    ADD COLUMN totp_at timestamptz,                -- null: the secret is shown, but was not proved yet
    ADD COLUMN totp_step bigint NOT NULL DEFAULT 0;
ALTER TABLE sessions
    ADD COLUMN id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    ADD COLUMN user_agent text NOT NULL DEFAULT '';
CREATE INDEX sessions_account ON sessions (account_id);

-- What opens the account once when the second factor is lost.
CREATE TABLE recovery_codes (
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    PRIMARY KEY (account_id, code_hash)
);

CREATE TABLE passkeys (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    credential_id bytea UNIQUE NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    used_at timestamptz
);
CREATE INDEX passkeys_account ON passkeys (account_id);

-- A sign-in on its way: the password was right and a code is awaited, or a passkey is asked for (then nobody is known).
CREATE TABLE sign_ins (
    token_hash bytea PRIMARY KEY,
    account_id bigint REFERENCES users ON DELETE CASCADE,
    challenge bytea,
    tries integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL
);

CREATE TABLE invitations (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    code text UNIQUE NOT NULL,
    most_uses integer CHECK (most_uses > 0),       -- null: no limit
    uses integer NOT NULL DEFAULT 0,
    due_at timestamptz,                            -- null: no end
    withdrawn_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    CHECK (uses <= most_uses)
);
CREATE INDEX invitations_account ON invitations (account_id, id DESC);

-- A file that somebody brought from elsewhere, worked through row by row.
CREATE TABLE imports (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('following', 'lists', 'mutes', 'blocks', 'domain_blocks', 'bookmarks')),
    mode text NOT NULL CHECK (mode IN ('merge', 'overwrite')),
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    finished_at timestamptz
);
CREATE INDEX imports_account ON imports (account_id, id DESC);
CREATE TABLE import_rows (
    import_id bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    place integer NOT NULL,
    row jsonb NOT NULL,
    done_at timestamptz,
    problem text,                                  -- why it could not be done
    PRIMARY KEY (import_id, place)
);
CREATE INDEX import_rows_waiting ON import_rows (import_id, place) WHERE done_at IS NULL;

-- What a person takes along: made on request, once a week, and gone after a week.
CREATE TABLE archives (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    file text,
    size bigint,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    ready_at timestamptz
);
CREATE INDEX archives_account ON archives (account_id, id DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON endorsements, collections, collection_items, recovery_codes, passkeys, sign_ins,
    invitations, imports, import_rows, archives TO parvis_app;

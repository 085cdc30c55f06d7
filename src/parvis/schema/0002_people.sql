-- People, who follows, blocks and mutes whom (accounts/); the other servers (peers/); sign-in and tokens (access/).

CREATE TABLE peers (
    domain text PRIMARY KEY,
    first_seen_at timestamptz NOT NULL DEFAULT parvis_now(),
    heard_at timestamptz,
    software text
);

CREATE TABLE accounts (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    username text NOT NULL,
    domain text,                                   -- null: lives here
    uri text UNIQUE NOT NULL,
    url text NOT NULL,
    actor_type text NOT NULL DEFAULT 'Person',
    display_name text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',                 -- HTML
    note_text text NOT NULL DEFAULT '',            -- what the person typed; local only
    fields jsonb NOT NULL DEFAULT '[]',            -- [{name, value, value_text, verified_at}]
    avatar_file text, avatar_url text, avatar_description text NOT NULL DEFAULT '',
    header_file text, header_url text, header_description text NOT NULL DEFAULT '',
    locked boolean NOT NULL DEFAULT false,
    bot boolean NOT NULL DEFAULT false,
    discoverable boolean,
    indexable boolean NOT NULL DEFAULT false,
    hide_collections boolean NOT NULL DEFAULT false,
    memorial boolean NOT NULL DEFAULT false,
    moved_to_id bigint REFERENCES accounts,
    also_known_as text[] NOT NULL DEFAULT '{}',
    public_key text,
    private_key_sealed bytea,                      -- local only; sealed with a secret that is not in the database
    inbox_url text NOT NULL DEFAULT '',
    shared_inbox_url text,
    outbox_url text, followers_url text, following_url text, featured_url text,
    remote_counts jsonb,                           -- {statuses, followers, following} as a remote server says
    fetched_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    suspended_at timestamptz,                      -- written by measures only
    limited_at timestamptz,                        -- written by measures only
    deleted_at timestamptz,
    last_status_at date,
    version integer NOT NULL DEFAULT 1
);
-- A name is taken here for good; elsewhere it may go over to another actor, and its first holder is gone.
CREATE UNIQUE INDEX accounts_handle ON accounts (lower(username), coalesce(lower(domain), ''))
    WHERE domain IS NULL OR deleted_at IS NULL;
CREATE INDEX accounts_named ON accounts (lower(username), coalesce(lower(domain), ''));
CREATE INDEX accounts_username_trgm ON accounts USING gin (username gin_trgm_ops);
CREATE INDEX accounts_name_trgm ON accounts USING gin (display_name gin_trgm_ops);
CREATE INDEX accounts_domain ON accounts (domain) WHERE domain IS NOT NULL;
CREATE INDEX accounts_key_owner ON accounts (followers_url) WHERE followers_url IS NOT NULL;

-- Anything shown of an account makes a new version, so that a kept card can never be stale.
CREATE FUNCTION account_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER account_versions BEFORE UPDATE ON accounts FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'fetched_at' - 'version' IS DISTINCT FROM to_jsonb(NEW) - 'fetched_at' - 'version')
    EXECUTE FUNCTION account_versions();

-- Counts are a base plus deltas folded later: no row is hot.
CREATE TABLE account_counts (
    account_id bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    statuses integer NOT NULL DEFAULT 0,
    followers integer NOT NULL DEFAULT 0,
    following integer NOT NULL DEFAULT 0
);
CREATE TABLE account_count_deltas (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL,
    statuses integer NOT NULL DEFAULT 0,
    followers integer NOT NULL DEFAULT 0,
    following integer NOT NULL DEFAULT 0
);
CREATE INDEX account_count_deltas_account ON account_count_deltas (account_id);

CREATE TABLE follows (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    target_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    accepted boolean NOT NULL,
    show_reblogs boolean NOT NULL DEFAULT true,
    notify boolean NOT NULL DEFAULT false,
    languages text[],
    uri text,                                      -- of the Follow activity
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    PRIMARY KEY (account_id, target_id),
    CHECK (account_id <> target_id)
);
CREATE INDEX follows_target ON follows (target_id, id DESC);
CREATE UNIQUE INDEX follows_uri ON follows (uri) WHERE uri IS NOT NULL;

CREATE TABLE blocks (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    target_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    uri text,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    PRIMARY KEY (account_id, target_id),
    CHECK (account_id <> target_id)
);
CREATE INDEX blocks_target ON blocks (target_id);

CREATE TABLE mutes (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    target_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    notifications boolean NOT NULL DEFAULT true,
    until timestamptz,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    PRIMARY KEY (account_id, target_id),
    CHECK (account_id <> target_id)
);

CREATE TABLE domain_blocks (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    domain text NOT NULL,
    PRIMARY KEY (account_id, domain)
);

CREATE TABLE account_notes (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    target_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    comment text NOT NULL,
    PRIMARY KEY (account_id, target_id)
);

CREATE TABLE users (
    account_id bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    email citext UNIQUE NOT NULL,
    password_hash text NOT NULL,
    confirmed_at timestamptz,
    locale text NOT NULL DEFAULT 'fr',
    role text NOT NULL DEFAULT 'resident' CHECK (role IN ('resident', 'moderator')),
    disabled_at timestamptz,
    default_privacy text NOT NULL DEFAULT 'public',
    default_sensitive boolean NOT NULL DEFAULT false,
    default_language text,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    signed_in_at timestamptz,
    application_id bigint
);

CREATE TABLE applications (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    client_id text UNIQUE NOT NULL,
    client_secret_hash bytea NOT NULL,
    name text NOT NULL,
    website text,
    redirect_uris text[] NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
ALTER TABLE users ADD FOREIGN KEY (application_id) REFERENCES applications ON DELETE SET NULL;

CREATE TABLE authorization_codes (
    code_hash bytea PRIMARY KEY,
    application_id bigint NOT NULL REFERENCES applications ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    redirect_uri text NOT NULL,
    scopes text[] NOT NULL,
    challenge text,
    due_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE TABLE tokens (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    token_hash bytea UNIQUE NOT NULL,
    application_id bigint REFERENCES applications ON DELETE CASCADE,
    account_id bigint REFERENCES users ON DELETE CASCADE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX tokens_account ON tokens (account_id);

-- Signed-in browsers.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    csrf text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    due_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON peers, account_counts, account_count_deltas, follows, blocks, mutes,
    domain_blocks, account_notes, users, applications, authorization_codes, tokens, sessions
    TO parvis_app;
-- suspended_at and limited_at are not among the columns the application may write: only an executed decision sets them.
GRANT SELECT ON accounts TO parvis_app;
GRANT INSERT (id, username, domain, uri, url, actor_type, display_name, note, note_text, fields, avatar_file, avatar_url,
    avatar_description, header_file, header_url, header_description, locked, bot, discoverable, indexable,
    hide_collections, memorial, moved_to_id, also_known_as, public_key, private_key_sealed, inbox_url,
    shared_inbox_url, outbox_url, followers_url, following_url, featured_url, remote_counts, fetched_at, created_at)
    ON accounts TO parvis_app;
GRANT UPDATE (url, actor_type, display_name, note, note_text, fields, avatar_file, avatar_url, avatar_description,
    header_file, header_url, header_description, locked, bot, discoverable, indexable, hide_collections, memorial,
    moved_to_id, also_known_as, public_key, private_key_sealed, inbox_url, shared_inbox_url, outbox_url, followers_url,
    following_url, featured_url, remote_counts, fetched_at, deleted_at, last_status_at)
    ON accounts TO parvis_app;

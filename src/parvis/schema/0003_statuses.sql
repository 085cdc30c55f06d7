-- Posts and what people do with them (statuses/), their files (media/), who is told (notifications/).

CREATE TABLE statuses (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    uri text UNIQUE NOT NULL,
    url text,
    local boolean NOT NULL,
    text text NOT NULL DEFAULT '',                 -- what the person typed; local only
    content text NOT NULL DEFAULT '',              -- HTML: made here, or the sanitised one of another server
    spoiler_text text NOT NULL DEFAULT '',
    sensitive boolean NOT NULL DEFAULT false,
    visibility text NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private', 'direct')),
    language text,
    in_reply_to_id bigint REFERENCES statuses ON DELETE SET NULL,
    in_reply_to_account_id bigint,
    in_reply_to_uri text,
    conversation_id bigint NOT NULL,
    reblog_of_id bigint REFERENCES statuses ON DELETE CASCADE,
    application_id bigint REFERENCES applications ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),     -- as its author's server dates it
    received_at timestamptz NOT NULL DEFAULT parvis_now(),    -- when it was first received here: the date of the act
    edited_at timestamptz,
    edit_received_at timestamptz,
    deleted_at timestamptz,
    removed_at timestamptz,                        -- written by measures only
    version integer NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX statuses_reblog_once ON statuses (account_id, reblog_of_id)
    WHERE reblog_of_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX statuses_author ON statuses (account_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX statuses_home ON statuses (account_id, id DESC)
    INCLUDE (in_reply_to_account_id, visibility, reblog_of_id) WHERE deleted_at IS NULL AND visibility <> 'direct';
CREATE INDEX statuses_public ON statuses (id DESC)
    WHERE visibility = 'public' AND reblog_of_id IS NULL AND in_reply_to_id IS NULL AND deleted_at IS NULL;
CREATE INDEX statuses_public_local ON statuses (id DESC)
    WHERE local AND visibility = 'public' AND reblog_of_id IS NULL AND in_reply_to_id IS NULL AND deleted_at IS NULL;
CREATE INDEX statuses_replies ON statuses (in_reply_to_id) WHERE in_reply_to_id IS NOT NULL;
CREATE INDEX statuses_reply_waiting ON statuses (in_reply_to_uri) WHERE in_reply_to_uri IS NOT NULL AND in_reply_to_id IS NULL;
CREATE INDEX statuses_reblogs ON statuses (reblog_of_id) WHERE reblog_of_id IS NOT NULL;
CREATE INDEX statuses_conversation ON statuses (conversation_id);

CREATE TRIGGER status_versions BEFORE UPDATE ON statuses FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION account_versions();

-- The date of the act can only move forward, by an edit received now; nobody can date a post back.
CREATE FUNCTION status_dates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.received_at := parvis_now();
        NEW.edit_received_at := NULL;
    ELSE
        NEW.received_at := OLD.received_at;
        NEW.account_id := OLD.account_id;
        IF (NEW.content, NEW.spoiler_text, NEW.text, NEW.edited_at) IS DISTINCT FROM
           (OLD.content, OLD.spoiler_text, OLD.text, OLD.edited_at) THEN
            NEW.edit_received_at := parvis_now();
        ELSE
            NEW.edit_received_at := OLD.edit_received_at;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER status_dates BEFORE INSERT OR UPDATE ON statuses FOR EACH ROW EXECUTE FUNCTION status_dates();

CREATE TABLE status_counts (
    status_id bigint PRIMARY KEY REFERENCES statuses ON DELETE CASCADE,
    replies integer NOT NULL DEFAULT 0,
    reblogs integer NOT NULL DEFAULT 0,
    favourites integer NOT NULL DEFAULT 0
);
CREATE TABLE status_count_deltas (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status_id bigint NOT NULL,
    replies integer NOT NULL DEFAULT 0,
    reblogs integer NOT NULL DEFAULT 0,
    favourites integer NOT NULL DEFAULT 0
);
CREATE INDEX status_count_deltas_status ON status_count_deltas (status_id);

CREATE TABLE status_edits (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    content text NOT NULL,
    spoiler_text text NOT NULL,
    sensitive boolean NOT NULL,
    media jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL
);
CREATE INDEX status_edits_status ON status_edits (status_id, id);

CREATE TABLE mentions (
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    silent boolean NOT NULL DEFAULT false,         -- addressed without being named
    PRIMARY KEY (status_id, account_id)
);
CREATE INDEX mentions_account ON mentions (account_id, status_id DESC);

CREATE TABLE tags (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    name text UNIQUE NOT NULL,
    display_name text NOT NULL
);
CREATE TABLE status_tags (
    tag_id bigint NOT NULL REFERENCES tags,
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    PRIMARY KEY (tag_id, status_id)
);
CREATE INDEX status_tags_status ON status_tags (status_id);

CREATE TABLE media (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    status_id bigint REFERENCES statuses ON DELETE CASCADE,
    position smallint NOT NULL DEFAULT 0,
    kind text NOT NULL CHECK (kind IN ('image', 'gifv', 'video', 'audio', 'unknown')),
    content_type text NOT NULL,
    file text,                                     -- local: its name in the store
    preview_file text,
    remote_url text,                               -- remote: where it lives
    width integer, height integer, preview_width integer, preview_height integer,
    size_bytes bigint,
    description text,
    focus_x real NOT NULL DEFAULT 0, focus_y real NOT NULL DEFAULT 0,
    blurhash text,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX media_status ON media (status_id, position);
CREATE INDEX media_unattached ON media (created_at) WHERE status_id IS NULL;

CREATE TABLE favourites (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    uri text,
    PRIMARY KEY (account_id, status_id)
);
CREATE INDEX favourites_status ON favourites (status_id, id DESC);
CREATE TABLE bookmarks (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    PRIMARY KEY (account_id, status_id)
);
CREATE TABLE pins (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    PRIMARY KEY (account_id, status_id)
);
CREATE TABLE conversation_mutes (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    conversation_id bigint NOT NULL,
    PRIMARY KEY (account_id, conversation_id)
);
CREATE TABLE idempotency_keys (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    key text NOT NULL,
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, key)
);

CREATE TABLE notifications (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind text NOT NULL,
    from_account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    status_id bigint REFERENCES statuses ON DELETE CASCADE,
    decision_id bigint,                            -- what a moderation_warning tells of
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE UNIQUE INDEX notifications_once
    ON notifications (account_id, kind, from_account_id, coalesce(status_id, decision_id, 0));
CREATE INDEX notifications_page ON notifications (account_id, id DESC);
CREATE INDEX notifications_status ON notifications (status_id) WHERE status_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON status_counts, status_count_deltas, status_edits, mentions, tags, status_tags,
    media, favourites, bookmarks, pins, conversation_mutes, idempotency_keys, notifications TO parvis_app;
-- removed_at is not among the columns the application may write: only an executed decision sets it.
GRANT SELECT ON statuses TO parvis_app;
GRANT INSERT (id, account_id, uri, url, local, text, content, spoiler_text, sensitive, visibility, language,
    in_reply_to_id, in_reply_to_account_id, in_reply_to_uri, conversation_id, reblog_of_id, application_id, created_at)
    ON statuses TO parvis_app;
GRANT UPDATE (url, text, content, spoiler_text, sensitive, language, in_reply_to_id, in_reply_to_account_id,
    in_reply_to_uri, conversation_id, edited_at, deleted_at) ON statuses TO parvis_app;

-- Which posts a person may see. The one definition: everything that shows a post joins this.
-- $1 null: nobody signed in.
CREATE FUNCTION seen_by(viewer bigint) RETURNS SETOF statuses LANGUAGE sql STABLE AS $$
    SELECT s.*
    FROM statuses s
    JOIN accounts a ON a.id = s.account_id
    LEFT JOIN statuses o ON o.id = s.reblog_of_id
    LEFT JOIN accounts oa ON oa.id = o.account_id
    WHERE s.deleted_at IS NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL
      AND (s.removed_at IS NULL OR s.account_id = viewer)
      AND (s.visibility IN ('public', 'unlisted')
           OR s.account_id = viewer
           OR (s.visibility = 'private' AND EXISTS (
                SELECT FROM follows f WHERE f.account_id = viewer AND f.target_id = s.account_id AND f.accepted))
           OR EXISTS (SELECT FROM mentions m WHERE m.status_id = s.id AND m.account_id = viewer))
      AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = s.account_id AND b.target_id = viewer)
      AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = viewer AND b.target_id = s.account_id)
      AND (s.reblog_of_id IS NULL
           OR (o.deleted_at IS NULL AND o.removed_at IS NULL AND oa.deleted_at IS NULL AND oa.suspended_at IS NULL
               AND (o.visibility IN ('public', 'unlisted') OR o.account_id = s.account_id)
               AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = o.account_id AND b.target_id = viewer)
               AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = viewer AND b.target_id = o.account_id)))
$$;

-- What somebody does not want to read (filters/), what the city announces (announcements/), small pictures with a name (emojis/).

CREATE TABLE filters (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    title text NOT NULL,
    context text[] NOT NULL CHECK (cardinality(context) > 0
        AND context <@ ARRAY['home', 'notifications', 'public', 'thread', 'account']),
    action text NOT NULL CHECK (action IN ('warn', 'hide', 'blur')),
    expires_at timestamptz
);
CREATE INDEX filters_account ON filters (account_id, id);

CREATE TABLE filter_keywords (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    filter_id bigint NOT NULL REFERENCES filters ON DELETE CASCADE,
    keyword text NOT NULL,
    whole_word boolean NOT NULL
);
CREATE INDEX filter_keywords_filter ON filter_keywords (filter_id, id);

CREATE TABLE filter_statuses (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    filter_id bigint NOT NULL REFERENCES filters ON DELETE CASCADE,
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    UNIQUE (filter_id, status_id)
);
CREATE INDEX filter_statuses_status ON filter_statuses (status_id);

-- Somebody's filters that have not run out, each with those of the given posts that it names. A function of its own, and not
-- part of the query of a page: what it takes to read them is then planned and prepared only for who has some.
CREATE FUNCTION live_filters(reader bigint, posts bigint[]) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_agg(to_jsonb(f) - 'account_id' || jsonb_build_object(
        'keywords', (SELECT coalesce(jsonb_agg(to_jsonb(k) ORDER BY k.id), '[]')
                     FROM filter_keywords k WHERE k.filter_id = f.id),
        'statuses', (SELECT coalesce(jsonb_agg(n.status_id ORDER BY n.id), '[]')
                     FROM filter_statuses n WHERE n.filter_id = f.id AND n.status_id = ANY(posts))) ORDER BY f.id)
    FROM filters f
    WHERE f.account_id = reader AND (f.expires_at IS NULL OR f.expires_at > parvis_now())
$$;
REVOKE EXECUTE ON FUNCTION live_filters(bigint, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION live_filters(bigint, bigint[]) TO parvis_app;

CREATE TABLE custom_emojis (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    shortcode text NOT NULL CHECK (shortcode ~ '^[A-Za-z0-9_]{2,100}$'),
    domain text,                                   -- null: ours
    file text,                                     -- ours: its name in the store
    static_file text,                              -- ours: the same, standing still
    remote_url text,                               -- another server's: where it lives; nothing is fetched
    static_url text,
    category text,
    visible_in_picker boolean NOT NULL DEFAULT true,
    disabled boolean NOT NULL DEFAULT false,
    updated_at timestamptz,                        -- as its own server dates it
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    CHECK (CASE WHEN domain IS NULL THEN file IS NOT NULL ELSE remote_url IS NOT NULL END)
);
CREATE UNIQUE INDEX custom_emojis_name ON custom_emojis (shortcode, coalesce(domain, ''));
CREATE INDEX custom_emojis_ours ON custom_emojis (category, shortcode) WHERE domain IS NULL;

-- The emoji that a text names, of the city or server it comes from: what stands between two colons, looked up by name.
-- Rows as JSON, for cards and documents alike.
CREATE FUNCTION emojis_in(said text, of_domain text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.shortcode), '[]')
    FROM custom_emojis e
    WHERE e.shortcode IN (
            SELECT part FROM (SELECT string_to_array(said, ':') AS parts) cut,
                             unnest(cut.parts[2:cardinality(cut.parts) - 1]) part
            WHERE length(part) BETWEEN 2 AND 100)
      AND coalesce(e.domain, '') = coalesce(of_domain, '') AND NOT e.disabled
$$;
REVOKE EXECUTE ON FUNCTION emojis_in(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION emojis_in(text, text) TO parvis_app;

CREATE TABLE announcements (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    text text NOT NULL,
    content text NOT NULL,                         -- HTML
    starts_at timestamptz,                         -- of what is announced
    ends_at timestamptz,                           -- then it is shown no longer
    all_day boolean NOT NULL DEFAULT false,
    due_at timestamptz NOT NULL,                   -- when it is to be published
    published_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT parvis_now(),
    withdrawn_at timestamptz,
    mentions bigint[] NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    status_ids bigint[] NOT NULL DEFAULT '{}',
    CHECK (ends_at > starts_at)
);
CREATE INDEX announcements_waiting ON announcements (due_at) WHERE published_at IS NULL AND withdrawn_at IS NULL;
CREATE INDEX announcements_shown ON announcements (id) WHERE published_at IS NOT NULL AND withdrawn_at IS NULL;

CREATE TABLE announcement_dismissals (
    announcement_id bigint NOT NULL REFERENCES announcements ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    PRIMARY KEY (account_id, announcement_id)
);

CREATE TABLE announcement_reactions (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    announcement_id bigint NOT NULL REFERENCES announcements ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name text NOT NULL,
    PRIMARY KEY (announcement_id, account_id, name)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON filters, filter_keywords, filter_statuses, custom_emojis, announcements TO parvis_app;
GRANT SELECT, INSERT, DELETE ON announcement_dismissals, announcement_reactions TO parvis_app;

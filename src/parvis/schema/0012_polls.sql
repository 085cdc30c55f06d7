-- Questions with options (polls/), posts that wait for their hour (composing/), pages that posts point to (links/).

CREATE TABLE polls (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    status_id bigint UNIQUE NOT NULL REFERENCES statuses ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    local boolean NOT NULL,                        -- votes are counted here, not on another server
    multiple boolean NOT NULL,
    hide_totals boolean NOT NULL,
    expires_at timestamptz,                        -- null: it does not end
    voters integer,                                -- base of the count; null: its server does not say
    ends_due_at timestamptz,                       -- when its end is to be told; null: it was
    tally_due_at timestamptz,                      -- when other servers are to be told of new votes; null: of none
    fetched_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX polls_ending ON polls (ends_due_at) WHERE ends_due_at IS NOT NULL;
CREATE INDEX polls_tallying ON polls (tally_due_at) WHERE tally_due_at IS NOT NULL;

-- Counts are a base plus deltas folded later: no row is hot.
CREATE TABLE poll_options (
    poll_id bigint NOT NULL REFERENCES polls ON DELETE CASCADE,
    choice smallint NOT NULL,
    title text NOT NULL,
    votes integer NOT NULL DEFAULT 0,
    PRIMARY KEY (poll_id, choice)
);
CREATE TABLE poll_count_deltas (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    poll_id bigint NOT NULL REFERENCES polls ON DELETE CASCADE,
    choice smallint NOT NULL,
    votes integer NOT NULL DEFAULT 0,
    voters integer NOT NULL DEFAULT 0
);
CREATE INDEX poll_count_deltas_poll ON poll_count_deltas (poll_id, choice);

CREATE TABLE poll_votes (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    poll_id bigint NOT NULL REFERENCES polls ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    choice smallint NOT NULL,
    uri text,                                      -- of a vote from elsewhere
    PRIMARY KEY (poll_id, account_id, choice)
);
CREATE INDEX poll_votes_account ON poll_votes (account_id);

ALTER TABLE status_edits ADD COLUMN poll jsonb;    -- the titles of the options: ["Yes", "No"]

CREATE TABLE scheduled_statuses (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    wish jsonb NOT NULL,
    scheduled_at timestamptz NOT NULL,
    due_at timestamptz,                            -- null: it could not be published, and waits for its author
    refusal jsonb,                                 -- why not: {kind, word, params}
    idempotency_key text,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX scheduled_statuses_account ON scheduled_statuses (account_id, id DESC);
CREATE INDEX scheduled_statuses_due ON scheduled_statuses (due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX scheduled_statuses_key ON scheduled_statuses (account_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

-- A file that a scheduled post will show is nobody else's until then.
ALTER TABLE media ADD COLUMN held_for bigint REFERENCES scheduled_statuses ON DELETE SET NULL;
CREATE INDEX media_held ON media (held_for) WHERE held_for IS NOT NULL;

-- What a page says about itself; its version follows every change, so that a kept card can never be stale.
CREATE TABLE preview_cards (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    url text UNIQUE NOT NULL,                      -- the page's own address for itself
    title text NOT NULL,
    description text NOT NULL,
    language text,
    author_name text NOT NULL,
    author_url text NOT NULL,
    provider_name text NOT NULL,
    provider_url text NOT NULL,
    image_url text,
    image_description text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    published_at timestamptz,
    version integer NOT NULL DEFAULT 1
);
CREATE TRIGGER preview_card_versions BEFORE UPDATE ON preview_cards FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION account_versions();

-- Addresses as posts have them: each is fetched once for all posts of a day.
CREATE TABLE linked_pages (
    url text PRIMARY KEY,
    card_id bigint REFERENCES preview_cards ON DELETE SET NULL,
    due_at timestamptz,                            -- when it is to be fetched; null: it need not be
    tries smallint NOT NULL DEFAULT 0,
    fetched_at timestamptz
);
CREATE INDEX linked_pages_due ON linked_pages (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX linked_pages_card ON linked_pages (card_id);

CREATE TABLE status_cards (
    status_id bigint PRIMARY KEY REFERENCES statuses ON DELETE CASCADE,
    url text NOT NULL REFERENCES linked_pages
);
CREATE INDEX status_cards_page ON status_cards (url, status_id DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON polls, poll_options, poll_count_deltas, poll_votes, scheduled_statuses,
    preview_cards, linked_pages, status_cards TO parvis_app;

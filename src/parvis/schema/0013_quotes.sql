-- Quotes and whether the quoted author agreed (quotes/); who may answer or quote a post, posts that stay in this city, and
-- translations of posts (statuses/).

ALTER TABLE users ADD COLUMN default_quote_policy text NOT NULL DEFAULT 'public'
    CHECK (default_quote_policy IN ('public', 'followers', 'nobody'));

ALTER TABLE statuses
    ADD COLUMN quote_automatic text[] NOT NULL DEFAULT '{}',   -- whose quotes are agreed to at once; empty: nobody's
    ADD COLUMN quote_manual text[] NOT NULL DEFAULT '{}',      -- whose quotes the author looks at first
    ADD COLUMN reply_policy text NOT NULL DEFAULT 'public'
        CHECK (reply_policy IN ('public', 'followers', 'mentioned', 'nobody')),
    ADD COLUMN reply_hidden boolean NOT NULL DEFAULT false,    -- answers, from elsewhere, what its author may not answer
    ADD COLUMN local_only boolean NOT NULL DEFAULT false;      -- for those who live here; no other server learns of it
ALTER TABLE status_counts ADD COLUMN quotes integer NOT NULL DEFAULT 0;
ALTER TABLE status_count_deltas ADD COLUMN quotes integer NOT NULL DEFAULT 0;
-- Whether a post stays here is said once, when it is made.
GRANT INSERT (quote_automatic, quote_manual, reply_policy, reply_hidden, local_only) ON statuses TO parvis_app;
GRANT UPDATE (quote_automatic, quote_manual, reply_policy, reply_hidden) ON statuses TO parvis_app;

CREATE TABLE quotes (
    status_id bigint PRIMARY KEY REFERENCES statuses ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    quoted_id bigint REFERENCES statuses ON DELETE SET NULL,   -- null: not known here
    quoted_account_id bigint REFERENCES accounts ON DELETE SET NULL,
    quoted_uri text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected', 'revoked', 'deleted', 'unauthorized')),
    request_uri text,                                          -- of the QuoteRequest, where there was one
    approval_uri text,                                         -- where the quoted author's server says that they agree
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    CHECK (state <> 'accepted' OR quoted_id IS NOT NULL)
);
CREATE INDEX quotes_quoted ON quotes (quoted_id, status_id DESC) WHERE quoted_id IS NOT NULL;
CREATE INDEX quotes_account ON quotes (account_id);
CREATE INDEX quotes_quoted_account ON quotes (quoted_account_id);
CREATE INDEX quotes_approval ON quotes (approval_uri) WHERE approval_uri IS NOT NULL;

CREATE TABLE translations (
    status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    version integer NOT NULL,
    target text NOT NULL,
    body jsonb NOT NULL,
    due_at timestamptz NOT NULL,                               -- when it is forgotten
    PRIMARY KEY (status_id, version, target)
);
CREATE INDEX translations_due ON translations (due_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON quotes, translations TO parvis_app;

-- As before, and a post that stays in this city is seen by its signed-in people only.
CREATE OR REPLACE FUNCTION seen_by(viewer bigint) RETURNS SETOF statuses LANGUAGE sql STABLE AS $$
    SELECT s.*
    FROM statuses s
    JOIN accounts a ON a.id = s.account_id
    LEFT JOIN statuses o ON o.id = s.reblog_of_id
    LEFT JOIN accounts oa ON oa.id = o.account_id
    WHERE s.deleted_at IS NULL AND a.deleted_at IS NULL AND a.suspended_at IS NULL
      AND (s.removed_at IS NULL OR s.account_id = viewer)
      AND (NOT s.local_only OR EXISTS (SELECT FROM accounts l WHERE l.id = viewer AND l.domain IS NULL))
      AND (s.visibility IN ('public', 'unlisted')
           OR s.account_id = viewer
           OR (s.visibility = 'private' AND EXISTS (
                SELECT FROM follows f WHERE f.account_id = viewer AND f.target_id = s.account_id AND f.accepted))
           OR EXISTS (SELECT FROM mentions m WHERE m.status_id = s.id AND m.account_id = viewer))
      AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = s.account_id AND b.target_id = viewer)
      AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = viewer AND b.target_id = s.account_id)
      AND (s.reblog_of_id IS NULL
           OR (o.deleted_at IS NULL AND o.removed_at IS NULL AND oa.deleted_at IS NULL AND oa.suspended_at IS NULL
               AND (NOT o.local_only OR EXISTS (SELECT FROM accounts l WHERE l.id = viewer AND l.domain IS NULL))
               AND (o.visibility IN ('public', 'unlisted') OR o.account_id = s.account_id)
               AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = o.account_id AND b.target_id = viewer)
               AND NOT EXISTS (SELECT FROM blocks b WHERE b.account_id = viewer AND b.target_id = o.account_id)))
$$;

-- Lists of people, hashtags one follows or shows on a profile, where one stopped reading, direct conversations (timelines/).

CREATE TABLE lists (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    title text NOT NULL,
    replies_policy text NOT NULL DEFAULT 'list' CHECK (replies_policy IN ('list', 'followed', 'none')),
    exclusive boolean NOT NULL DEFAULT false       -- its people's posts stand here and not in the home timeline
);
CREATE INDEX lists_account ON lists (account_id, id);
CREATE TABLE list_accounts (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    list_id bigint NOT NULL REFERENCES lists ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    PRIMARY KEY (list_id, account_id)
);
CREATE INDEX list_accounts_account ON list_accounts (account_id, list_id);

CREATE TABLE tag_follows (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    tag_id bigint NOT NULL REFERENCES tags,
    PRIMARY KEY (account_id, tag_id)
);
CREATE INDEX tag_follows_tag ON tag_follows (tag_id);
CREATE TABLE featured_tags (
    id bigint NOT NULL DEFAULT parvis_id() UNIQUE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    tag_id bigint NOT NULL REFERENCES tags,
    display_name text NOT NULL,                    -- as its owner spells it
    PRIMARY KEY (account_id, tag_id)
);

CREATE TABLE markers (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    timeline text NOT NULL CHECK (timeline IN ('home', 'notifications')),
    last_read_id bigint NOT NULL,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT parvis_now(),
    PRIMARY KEY (account_id, timeline)
);

-- One row for each person of this city who takes part, and for each circle of people in which they do.
CREATE TABLE conversations (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    conversation_id bigint NOT NULL,               -- that of its posts
    participants bigint[] NOT NULL,                -- the others, in the order of their ids
    last_status_id bigint NOT NULL REFERENCES statuses ON DELETE CASCADE,
    unread boolean NOT NULL,
    UNIQUE (account_id, conversation_id, participants)
);
CREATE INDEX conversations_page ON conversations (account_id, last_status_id DESC);
CREATE INDEX conversations_last ON conversations (last_status_id);
CREATE INDEX statuses_direct ON statuses (account_id, id DESC) WHERE visibility = 'direct' AND deleted_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON lists, list_accounts, tag_follows, featured_tags, markers, conversations
    TO parvis_app;

-- What was said directly until now. Nobody is told anew: it counts as read.
INSERT INTO conversations (account_id, conversation_id, participants, last_status_id, unread)
SELECT account_id, conversation_id, participants, max(status_id), false
FROM (SELECT u.account_id, s.conversation_id, s.id AS status_id,
             ARRAY(SELECT p FROM (SELECT s.account_id AS p UNION SELECT m.account_id FROM mentions m WHERE m.status_id = s.id)
                   AS circle WHERE p <> u.account_id ORDER BY p) AS participants
      FROM statuses s
      CROSS JOIN LATERAL (SELECT s.account_id AS id UNION SELECT m.account_id FROM mentions m WHERE m.status_id = s.id) AS part
      JOIN users u ON u.account_id = part.id
      WHERE s.visibility = 'direct' AND s.deleted_at IS NULL AND s.reblog_of_id IS NULL) AS said
GROUP BY account_id, conversation_id, participants;

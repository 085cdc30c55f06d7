-- When a conversation elsewhere was last asked for (federation/), and how many replies that brought.
CREATE TABLE thread_fetches (
    status_id bigint PRIMARY KEY REFERENCES statuses ON DELETE CASCADE,
    asked_at timestamptz NOT NULL,
    done_at timestamptz,                           -- null: under way
    found integer NOT NULL DEFAULT 0
);

GRANT SELECT, INSERT, UPDATE ON thread_fetches TO parvis_app;

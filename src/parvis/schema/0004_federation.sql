-- What passes between servers (federation/).

CREATE TABLE inbox_items (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    host text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    tries smallint NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX inbox_items_host ON inbox_items (host, id);
CREATE TABLE inbox_hosts (
    host text PRIMARY KEY,
    due_at timestamptz NOT NULL,
    lease_until timestamptz
);
-- Every activity takes effect once: its id is written in the transaction of its effect.
CREATE TABLE activities_done (
    uri text PRIMARY KEY,
    done_at timestamptz NOT NULL DEFAULT parvis_now()
);
-- Deletes and Undos that came before what they speak of, and what was deleted: never to be made again.
CREATE TABLE tombstones (
    uri text PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT parvis_now()
);
-- Activities that could not be used, for the operator to look at.
CREATE TABLE inbox_refusals (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    host text NOT NULL,
    reason text NOT NULL,
    body bytea NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT parvis_now()
);

CREATE TABLE outgoing (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    uri text UNIQUE NOT NULL,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,  -- who signs
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE TABLE deliveries (
    host text NOT NULL,
    outgoing_id bigint NOT NULL REFERENCES outgoing ON DELETE CASCADE,
    inbox text NOT NULL,
    PRIMARY KEY (host, outgoing_id, inbox)
);
CREATE INDEX deliveries_outgoing ON deliveries (outgoing_id);
CREATE TABLE delivery_hosts (
    host text PRIMARY KEY,
    due_at timestamptz NOT NULL,
    lease_until timestamptz,
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz
);

GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_items, inbox_hosts, activities_done, tombstones, inbox_refusals,
    outgoing, deliveries, delivery_hosts TO parvis_app;

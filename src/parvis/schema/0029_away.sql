-- Servers to which nothing could be brought for a week are away: nothing is written for them until they are heard from.

ALTER TABLE peers ADD COLUMN away_since timestamptz, ADD COLUMN probe_at timestamptz;
CREATE INDEX peers_away ON peers (probe_at) WHERE away_since IS NOT NULL;

-- When hearing from a server that fails last made us try it before its time.
ALTER TABLE delivery_hosts ADD COLUMN woken_at timestamptz;

-- Servers that did not answer our questions: how often in a row, and until when they are left alone if it was often.
CREATE TABLE silent_hosts (
    host text PRIMARY KEY,
    failures integer NOT NULL,
    until timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON silent_hosts TO parvis_app;

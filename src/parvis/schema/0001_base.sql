-- What everything stands on: extensions, time, ids, the city's own row, streams' outbox, shared rate limits.

CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Only the owner may move the clock, and only `parvis clock advance` in a --dev city does.
CREATE TABLE clock_offset (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    ahead interval NOT NULL
);

CREATE FUNCTION parvis_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT now() + coalesce((SELECT ahead FROM clock_offset), interval '0')
$$;

CREATE SEQUENCE id_sequence;

-- 48 bits of milliseconds, then 16 bits of a sequence: ids sort by time and never meet.
CREATE FUNCTION parvis_id() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (floor(extract(epoch FROM clock_timestamp()
                + coalesce((SELECT ahead FROM clock_offset), interval '0')) * 1000)::bigint << 16)
           | (nextval('id_sequence') & 65535)
$$;

CREATE TABLE city (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    origin text NOT NULL,
    handle_domain text NOT NULL,
    dev boolean NOT NULL,
    founded_at timestamptz NOT NULL DEFAULT parvis_now()
);

-- Topics that changed; the notifier deletes rows in batches and wakes the listeners once.
CREATE TABLE pulses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL
);

-- Rate limits seen by all workers, written in batches; may be lost in a crash.
CREATE UNLOGGED TABLE rate_counts (
    key text NOT NULL,
    window_start bigint NOT NULL,
    used integer NOT NULL,
    PRIMARY KEY (key, window_start)
);

GRANT USAGE ON SCHEMA public TO parvis_app;
GRANT USAGE ON SEQUENCE id_sequence TO parvis_app;
GRANT SELECT ON clock_offset, city TO parvis_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON pulses TO parvis_app;  -- UPDATE: rows are taken with SKIP LOCKED
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_counts TO parvis_app;

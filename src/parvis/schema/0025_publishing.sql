-- Nobody posts, nor passes on, while a measure freezes their posting: what must not be got round is refused here.
CREATE FUNCTION measure_forbids_posting() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    until timestamptz;
BEGIN
    SELECT max(ends_at) INTO until FROM measures
    WHERE target_id = NEW.account_id AND level = 5 AND lifted_at IS NULL AND ends_at > parvis_now();
    IF until IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'PV001', MESSAGE = 'posting_frozen',
            DETAIL = jsonb_build_object('until', until)::text;
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION measure_forbids_posting FROM PUBLIC;
CREATE TRIGGER status_is_allowed BEFORE INSERT ON statuses FOR EACH ROW EXECUTE FUNCTION measure_forbids_posting();

-- What time it is, without looking at a table: a function that holds a subquery is never inlined, and each call of it costs
-- as much as a small statement (20 µs, three or four times in each post). So what clock_offset says is written into a
-- function of its own whenever it changes, which only the owner can make happen. It is STABLE and not IMMUTABLE: a plan
-- knows that it depends on what was inlined, so it is made anew, and would not know of a constant that was folded.
CREATE FUNCTION clock_ahead() RETURNS interval LANGUAGE sql STABLE AS $$ SELECT interval '0' $$;
REVOKE EXECUTE ON FUNCTION clock_ahead FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clock_ahead TO parvis_app;

CREATE FUNCTION clock_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION public.clock_ahead() RETURNS interval LANGUAGE sql STABLE AS %L',
                   format('SELECT %L::interval', coalesce((SELECT ahead FROM clock_offset), interval '0')));
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION clock_moves FROM PUBLIC;
CREATE TRIGGER clock_moves AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clock_offset
    FOR EACH STATEMENT EXECUTE FUNCTION clock_moves();
UPDATE clock_offset SET ahead = ahead;

CREATE OR REPLACE FUNCTION parvis_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT now() + public.clock_ahead()
$$;
CREATE OR REPLACE FUNCTION parvis_id() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (floor(extract(epoch FROM clock_timestamp() + public.clock_ahead()) * 1000)::bigint << 16)
           | (nextval('public.id_sequence'::regclass) & 65535)
$$;

-- The same words at the same places as before (0017): fifty places between the two readings, without reading fifty words.
CREATE OR REPLACE FUNCTION search_words(html text, plain text) RETURNS tsvector LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT ts_delete(to_tsvector('public.parvis_simple', said) || '~:50'::tsvector
                     || to_tsvector('public.parvis_french', said), '~')
    FROM (SELECT plain || ' ' || regexp_replace(regexp_replace(
        html, '</?(p|br|li|ul|ol|pre|blockquote|h[1-6])\M[^>]*>', ' ', 'gi'), '<[^>]*>', '', 'g') AS said) t
$$;

-- Files of a server that a decision refuses are shown nowhere while it is in force, wherever they lie: what is kept are their addresses,
-- and so they are there again when it ends.
ALTER TABLE accounts ADD COLUMN files_refused boolean NOT NULL DEFAULT false;

CREATE FUNCTION refuses_files(home text, address text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM domain_measures m WHERE m.lifted_at IS NULL AND m.reject_media
                       AND (under(home, m.domain) OR under(split_part(address, '/', 3), m.domain)))
$$;
-- Posts with files get another version, so that no kept card goes on showing them.
CREATE FUNCTION files_change(of_domain text) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH changed AS (
        UPDATE accounts a SET files_refused = NOT a.files_refused
        WHERE a.domain IS NOT NULL AND (under(a.domain, of_domain) OR under(split_part(a.uri, '/', 3), of_domain))
          AND a.files_refused <> refuses_files(a.domain, a.uri)
        RETURNING a.id)
    UPDATE statuses SET version = version + 1
    WHERE id IN (SELECT m.status_id FROM changed c JOIN media m ON m.account_id = c.id)
$$;
CREATE OR REPLACE FUNCTION domain_measure_takes_effect() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('accounts of blocked domains', 0));
    UPDATE accounts a SET suspended_at = account_measured(a.id, true, a.domain, a.uri),
                          limited_at = account_measured(a.id, false, a.domain, a.uri)
    WHERE a.domain IS NOT NULL AND (under(a.domain, NEW.domain) OR under(split_part(a.uri, '/', 3), NEW.domain));
    IF NEW.severity = 'suspend' AND NEW.lifted_at IS NULL THEN
        PERFORM suspend_follows(NEW.decision_id, NEW.domain);
    ELSIF NEW.severity = 'suspend' THEN
        PERFORM restore_follows(NEW.decision_id, NEW.domain);
    END IF;
    IF NEW.reject_media THEN
        PERFORM files_change(NEW.domain);
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION account_is_met() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('accounts of blocked domains', 0));
    NEW.suspended_at := coalesce(account_measured(NEW.id, true, NEW.domain, NEW.uri), NEW.suspended_at);
    NEW.limited_at := coalesce(account_measured(NEW.id, false, NEW.domain, NEW.uri), NEW.limited_at);
    NEW.files_refused := refuses_files(NEW.domain, NEW.uri);
    RETURN NEW;
END $$;
SELECT files_change(m.domain) FROM domain_measures m WHERE m.lifted_at IS NULL AND m.reject_media;
DO $$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT p.oid::regprocedure AS name FROM pg_proc p
               WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
                   AND p.proname IN ('refuses_files', 'files_change', 'domain_measure_takes_effect', 'account_is_met') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own.name);
        EXECUTE format('ALTER FUNCTION %s SET TimeZone = ''UTC'' SET DateStyle = ''ISO, YMD''
            SET IntervalStyle = ''postgres'' SET standard_conforming_strings = on', own.name);
    END LOOP;
END $$;

-- What a decision that keeps a server out does to those who follow each other across: nothing ends, it is suspended.

-- A follow across that is suspended, whole and with its number: meanwhile it is nobody's follow, is counted nowhere, and it
-- comes back as it was (accounts/).
CREATE TABLE suspended_follows (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    target_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    accepted boolean NOT NULL,
    show_reblogs boolean NOT NULL,
    notify boolean NOT NULL,
    languages text[],
    uri text,
    created_at timestamptz NOT NULL,
    endorsement_id bigint,                         -- whoever recommended whom they followed does so again
    endorsed_at timestamptz,
    UNIQUE (account_id, target_id)
);
CREATE INDEX suspended_follows_target ON suspended_follows (target_id);
-- Whom of this city a measure took followers and follows from, and whom its end gave them back: how many (borders/).
CREATE TABLE cut_ties (
    decision_id bigint NOT NULL REFERENCES domain_decisions,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    restored boolean NOT NULL,
    followers integer NOT NULL,
    following integer NOT NULL,
    PRIMARY KEY (decision_id, account_id, restored)
);
CREATE INDEX cut_ties_account ON cut_ties (account_id);

-- Does a measure in force keep somebody's server out?
CREATE FUNCTION from_outside(home text, address text) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM domain_measures m WHERE m.lifted_at IS NULL AND m.severity = 'suspend'
                       AND (under(home, m.domain) OR under(split_part(address, '/', 3), m.domain)))
$$;
CREATE FUNCTION people_under(of_domain text) RETURNS SETOF accounts LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.* FROM accounts a
    WHERE a.domain IS NOT NULL AND (under(a.domain, of_domain) OR under(split_part(a.uri, '/', 3), of_domain))
$$;
CREATE FUNCTION suspend_follows(decision bigint, of_domain text) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH them AS MATERIALIZED (SELECT id FROM people_under(of_domain)),
        gone AS (
            DELETE FROM follows WHERE id IN (SELECT f.id FROM them JOIN follows f ON f.account_id = them.id
                                             UNION SELECT f.id FROM them JOIN follows f ON f.target_id = them.id)
            RETURNING *),
        held AS (
            INSERT INTO suspended_follows
            SELECT g.id, g.account_id, g.target_id, g.accepted, g.show_reblogs, g.notify, g.languages, g.uri, g.created_at,
                   e.id, e.created_at
            FROM gone g LEFT JOIN endorsements e ON e.account_id = g.account_id AND e.target_id = g.target_id
            ON CONFLICT DO NOTHING),
        ends AS (
            SELECT account_id AS id, 0 AS follower, 1 AS follow FROM gone WHERE accepted
            UNION ALL SELECT target_id, 1, 0 FROM gone WHERE accepted),
        counted AS (
            INSERT INTO account_count_deltas (account_id, followers, following)
            SELECT id, -sum(follower), -sum(follow) FROM ends GROUP BY id)
    INSERT INTO cut_ties (decision_id, account_id, restored, followers, following)
    SELECT decision, e.id, false, sum(e.follower), sum(e.follow)
    FROM ends e JOIN accounts a ON a.id = e.id AND a.domain IS NULL GROUP BY e.id
$$;
-- What another measure keeps suspended stays so; and nothing comes back across a block, or to whoever has left.
CREATE FUNCTION restore_follows(decision bigint, of_domain text) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH them AS MATERIALIZED (
            SELECT id FROM people_under(of_domain) p WHERE NOT from_outside(p.domain, p.uri)),
        gone AS (
            DELETE FROM suspended_follows WHERE id IN (
                SELECT s.id FROM them JOIN suspended_follows s ON s.account_id = them.id
                UNION SELECT s.id FROM them JOIN suspended_follows s ON s.target_id = them.id)
            RETURNING *),
        back AS (
            INSERT INTO follows (id, account_id, target_id, accepted, show_reblogs, notify, languages, uri, created_at)
            SELECT g.id, g.account_id, g.target_id, g.accepted, g.show_reblogs, g.notify, g.languages, g.uri, g.created_at
            FROM gone g JOIN accounts a ON a.id = g.account_id JOIN accounts b ON b.id = g.target_id
            WHERE a.deleted_at IS NULL AND b.deleted_at IS NULL
              AND NOT EXISTS (SELECT FROM blocks x WHERE x.account_id = a.id AND x.target_id = b.id)
              AND NOT EXISTS (SELECT FROM blocks x WHERE x.account_id = b.id AND x.target_id = a.id)
              AND NOT EXISTS (SELECT FROM domain_blocks x WHERE x.account_id = a.id AND x.domain = b.domain)
              AND NOT EXISTS (SELECT FROM domain_blocks x WHERE x.account_id = b.id AND x.domain = a.domain)
            ON CONFLICT DO NOTHING
            RETURNING account_id, target_id, accepted),
        recommended AS (
            INSERT INTO endorsements (id, account_id, target_id, created_at)
            SELECT g.endorsement_id, g.account_id, g.target_id, g.endorsed_at
            FROM gone g JOIN back b ON b.account_id = g.account_id AND b.target_id = g.target_id
            WHERE g.endorsement_id IS NOT NULL),
        ends AS (
            SELECT account_id AS id, 0 AS follower, 1 AS follow FROM back WHERE accepted
            UNION ALL SELECT target_id, 1, 0 FROM back WHERE accepted),
        counted AS (
            INSERT INTO account_count_deltas (account_id, followers, following)
            SELECT id, sum(follower), sum(follow) FROM ends GROUP BY id)
    INSERT INTO cut_ties (decision_id, account_id, restored, followers, following)
    SELECT decision, e.id, true, sum(e.follower), sum(e.follow)
    FROM ends e JOIN accounts a ON a.id = e.id AND a.domain IS NULL GROUP BY e.id
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
    RETURN NULL;
END $$;
SELECT suspend_follows(m.decision_id, m.domain) FROM domain_measures m
WHERE m.lifted_at IS NULL AND m.severity = 'suspend' ORDER BY m.decision_id;

GRANT SELECT, DELETE ON suspended_follows TO parvis_app;
GRANT SELECT ON cut_ties TO parvis_app;
DO $$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT p.oid::regprocedure AS name FROM pg_proc p
               WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
                   AND p.proname IN ('from_outside', 'people_under', 'suspend_follows', 'restore_follows',
                                     'domain_measure_takes_effect') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own.name);
        EXECUTE format('ALTER FUNCTION %s SET TimeZone = ''UTC'' SET DateStyle = ''ISO, YMD''
            SET IntervalStyle = ''postgres'' SET standard_conforming_strings = on', own.name);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION under(text, text) TO parvis_app;

-- What others say of servers: lists that a moderator or the operator subscribes to. What stands in one is a proposal and has no
-- effect; a moderator decides on an article, as on any other day, or lays it aside (borders/).
CREATE TABLE shared_lists (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    url text CHECK (length(url) BETWEEN 1 AND 2000), -- null: it was handed in as a file
    account_id bigint REFERENCES accounts,           -- null: the operator
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    read_at timestamptz,
    failed text,
    ended_at timestamptz
);
CREATE UNIQUE INDEX shared_lists_url ON shared_lists (url) WHERE ended_at IS NULL;
-- `lift`: the list names no longer what was decided after it.
CREATE TABLE domain_proposals (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    list_id bigint NOT NULL REFERENCES shared_lists,
    domain text NOT NULL CHECK (domain ~ '^[a-z0-9]([a-z0-9_.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?$'),
    severity text NOT NULL CHECK (severity IN ('noop', 'silence', 'suspend', 'lift')),
    reject_media boolean NOT NULL,
    reject_reports boolean NOT NULL,
    comment text NOT NULL CHECK (length(comment) <= 5000),
    proposed_at timestamptz NOT NULL DEFAULT parvis_now(),
    withdrawn_at timestamptz,                        -- the list says otherwise, or nothing any more
    settled_at timestamptz,
    settled_by bigint REFERENCES accounts,
    decision_id bigint REFERENCES domain_decisions,  -- null: it was laid aside
    reasons text CHECK (length(reasons) BETWEEN 1 AND 5000),
    CHECK (num_nonnulls(settled_at, settled_by, reasons) IN (0, 3))
);
CREATE INDEX domain_proposals_list ON domain_proposals (list_id, domain, id DESC);
CREATE INDEX domain_proposals_open ON domain_proposals (id DESC) WHERE withdrawn_at IS NULL AND settled_at IS NULL;

CREATE FUNCTION list_recorded() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM ledger_append('protection', jsonb_build_object('protection', 'shared_lists', 'address', NEW.url,
        'standing', (SELECT count(*) FROM shared_lists WHERE ended_at IS NULL),
        'change', CASE TG_OP WHEN 'INSERT' THEN 'added' ELSE 'removed' END));
    RETURN NULL;
END $$;
CREATE TRIGGER list_added AFTER INSERT ON shared_lists FOR EACH ROW EXECUTE FUNCTION list_recorded();
CREATE TRIGGER list_removed AFTER UPDATE ON shared_lists FOR EACH ROW
    WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION list_recorded();
CREATE FUNCTION domain_proposal_settled() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.settled_at IS NOT NULL OR OLD.withdrawn_at IS NOT NULL THEN
        PERFORM refuse('append_only');
    ELSIF NEW.settled_at IS NOT NULL AND NOT is_moderator(NEW.settled_by) THEN
        PERFORM refuse('not_a_moderator');
    ELSIF EXISTS (SELECT FROM domain_decisions d WHERE d.id = NEW.decision_id AND d.domain <> OLD.domain) THEN
        PERFORM refuse('other_server');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER domain_proposal_settled BEFORE UPDATE ON domain_proposals
    FOR EACH ROW EXECUTE FUNCTION domain_proposal_settled();

GRANT SELECT, INSERT (name, url, account_id), UPDATE (read_at, failed, ended_at) ON shared_lists TO parvis_app;
GRANT SELECT, INSERT (list_id, domain, severity, reject_media, reject_reports, comment),
    UPDATE (withdrawn_at, settled_at, settled_by, decision_id, reasons) ON domain_proposals TO parvis_app;
DO $$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT p.oid::regprocedure AS name FROM pg_proc p
               WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
                   AND p.proname IN ('list_recorded', 'domain_proposal_settled') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own.name);
        EXECUTE format('ALTER FUNCTION %s SET TimeZone = ''UTC'' SET DateStyle = ''ISO, YMD''
            SET IntervalStyle = ''postgres'' SET standard_conforming_strings = on', own.name);
    END LOOP;
END $$;

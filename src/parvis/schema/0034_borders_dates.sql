-- Every decision about a server is looked at again: at the day it names, else when it ends, or after as long as the charter has it
-- (`review_longest`), and a year at most.
ALTER TABLE domain_decisions ADD COLUMN review_at timestamptz;
ALTER TABLE domain_decisions DISABLE TRIGGER domain_decision_kept;
UPDATE domain_decisions SET review_at = least(ends_at, decided_at + interval '1 year');
ALTER TABLE domain_decisions ENABLE TRIGGER domain_decision_kept;
ALTER TABLE domain_decisions ALTER COLUMN review_at SET NOT NULL;

CREATE OR REPLACE FUNCTION domain_decision_stands() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kind measure_kinds;
    moments timestamptz[];
    ground jsonb;
    own city;
    latest timestamptz;
BEGIN
    PERFORM domain_one_by_one(NEW.domain);
    SELECT * INTO kind FROM measure_kinds k WHERE k.level = NEW.level;
    SELECT * INTO own FROM city;
    NEW.block_id := coalesce(NEW.block_id, NEW.id);
    NEW.status_ids := ARRAY(SELECT DISTINCT cited FROM unnest(NEW.status_ids) cited ORDER BY cited);
    IF num_nonnulls(NEW.article_version_id, NEW.legal_order_id) <> 1 THEN
        PERFORM refuse('exactly_one_ground');
    ELSIF NOT is_moderator(NEW.decided_by) THEN
        PERFORM refuse('not_a_moderator');
    ELSIF under(own.handle_domain, NEW.domain) OR under(split_part(own.origin, '/', 3), NEW.domain) THEN
        PERFORM refuse('own_city');
    ELSIF NEW.block_id <> NEW.id AND NOT EXISTS (
            SELECT FROM domain_decisions d WHERE d.id = NEW.block_id AND d.block_id = d.id AND d.domain = NEW.domain) THEN
        PERFORM refuse('other_block');
    ELSIF EXISTS (SELECT FROM unnest(NEW.status_ids) cited WHERE NOT EXISTS (
            SELECT FROM statuses s JOIN accounts a ON a.id = s.account_id
            WHERE s.id = cited AND a.domain IS NOT NULL AND under(a.domain, NEW.domain))) THEN
        PERFORM refuse('not_their_post');
    ELSIF kind.needs_end AND NEW.ends_at IS NULL THEN
        PERFORM refuse('no_end');
    ELSIF NOT kind.needs_end AND NEW.ends_at IS NOT NULL THEN
        PERFORM refuse('end_not_possible');
    ELSIF kind.needs_end AND coalesce(NEW.ends_at NOT BETWEEN parvis_now()
            AND parvis_now() + (charter_terms(parvis_now()) ->> kind.longest)::interval, true) THEN
        PERFORM refuse('too_long');
    END IF;
    NEW.decided_at := law_now();
    latest := least(parvis_now() + coalesce((charter_terms(parvis_now()) ->> 'review_longest')::interval, interval '1 year'),
                    parvis_now() + interval '1 year');
    IF NEW.review_at NOT BETWEEN parvis_now() AND latest THEN
        PERFORM refuse('review_out_of_range');
    END IF;
    NEW.review_at := least(coalesce(NEW.review_at, latest), NEW.ends_at);
    moments := ARRAY(SELECT domain_acts(NEW.domain, NEW.status_ids));
    NEW.act_at := (SELECT max(moment) FROM unnest(moments) moment);
    IF NEW.act_at > NEW.decided_at THEN
        PERFORM refuse('act_in_the_future');
    END IF;
    IF NEW.article_version_id IS NOT NULL THEN
        PERFORM rule_allows(NEW.article_version_id, NEW.level, NEW.status_ids, moments);
    END IF;
    ground := coalesce(
        (SELECT jsonb_build_object('article', v.number, 'charter_version', v.charter_version, 'heading', v.heading)
         FROM article_versions v WHERE v.id = NEW.article_version_id),
        (SELECT jsonb_build_object('authority', o.authority, 'reference', o.reference,
             'order_hash', encode(sha256(convert_to(o.text, 'UTF8')), 'hex'))
         FROM legal_orders o WHERE o.id = NEW.legal_order_id));
    IF ground IS NULL THEN
        PERFORM refuse('ground_unknown');
    END IF;
    -- A server is no person, yet its name can be one's: the record names its hash, and the list of blocks says which it is.
    NEW.leaf_id := ledger_append('domain', ground || jsonb_strip_nulls(jsonb_build_object('decision', NEW.id,
        'block', NEW.block_id, 'level', NEW.level, 'measure', kind.word, 'severity', NEW.severity, 'ends_at', NEW.ends_at,
        'review_at', NEW.review_at,
        'reject_media', NEW.reject_media, 'reject_reports', NEW.reject_reports, 'posts', cardinality(NEW.status_ids),
        'subject', encode(sha256(convert_to(NEW.domain, 'UTF8')), 'hex'), 'reasons', redacted_words(NEW.facts))));
    RETURN NEW;
END $$;

-- The day has come and the measure is still in force: moderators are reminded, once, and the record says so (borders/).
CREATE TABLE review_reminders (
    decision_id bigint PRIMARY KEY REFERENCES domain_decisions,
    reminded_at timestamptz NOT NULL
);
CREATE FUNCTION review_is_due() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision domain_decisions;
BEGIN
    SELECT d.* INTO decision FROM domain_decisions d JOIN domain_measures m ON m.decision_id = d.id
        WHERE d.id = NEW.decision_id AND m.lifted_at IS NULL;
    IF coalesce(decision.review_at > parvis_now(), true) THEN
        PERFORM refuse('review_not_due');
    END IF;
    NEW.reminded_at := parvis_now();
    PERFORM ledger_append('domain', jsonb_build_object('decision', decision.id, 'block', decision.block_id,
        'review_at', decision.review_at, 'review_due', true));
    RETURN NEW;
END $$;
CREATE TRIGGER review_is_due BEFORE INSERT ON review_reminders FOR EACH ROW EXECUTE FUNCTION review_is_due();
CREATE TRIGGER review_kept BEFORE UPDATE OR DELETE ON review_reminders FOR EACH ROW EXECUTE FUNCTION append_only();

GRANT INSERT (review_at) ON domain_decisions TO parvis_app;
GRANT SELECT, INSERT (decision_id) ON review_reminders TO parvis_app;
DO $$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT p.oid::regprocedure AS name FROM pg_proc p
               WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
                   AND p.proname IN ('domain_decision_stands', 'review_is_due') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own.name);
        EXECUTE format('ALTER FUNCTION %s SET TimeZone = ''UTC'' SET DateStyle = ''ISO, YMD''
            SET IntervalStyle = ''postgres'' SET standard_conforming_strings = on', own.name);
    END LOOP;
END $$;

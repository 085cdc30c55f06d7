-- What moderators do beside deciding about people: reports in hand, measures lifted early, other servers, doors.

-- Who waits for a moderator to let them in (access/). Whoever was here before has been.
ALTER TABLE users ADD COLUMN approved_at timestamptz DEFAULT parvis_now(), ADD COLUMN reason text CHECK (length(reason) <= 2000);
UPDATE users SET approved_at = created_at;
CREATE INDEX users_pending ON users (account_id) WHERE approved_at IS NULL;

-- Technical protections of sign-up and sign-in (access/): they judge nobody; who set them and why is known, how many there
-- are is on the public record.
CREATE TABLE ip_blocks (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    ip cidr UNIQUE NOT NULL,
    severity text NOT NULL CHECK (severity IN ('sign_up_requires_approval', 'sign_up_block', 'no_access')),
    comment text NOT NULL CHECK (length(comment) BETWEEN 1 AND 500),
    account_id bigint NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    expires_at timestamptz
);
CREATE INDEX ip_blocks_covers ON ip_blocks USING gist (ip inet_ops);
CREATE INDEX ip_blocks_due ON ip_blocks (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE email_domain_blocks (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    domain text UNIQUE NOT NULL CHECK (domain = lower(domain) AND length(domain) BETWEEN 1 AND 253),
    comment text NOT NULL CHECK (length(comment) BETWEEN 1 AND 500),
    account_id bigint NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE TABLE email_domain_tries (
    block_id bigint NOT NULL REFERENCES email_domain_blocks ON DELETE CASCADE,
    day date NOT NULL,
    tries integer NOT NULL,
    PRIMARY KEY (block_id, day)
);
CREATE TABLE canonical_email_blocks (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    hash text UNIQUE NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    comment text NOT NULL CHECK (length(comment) BETWEEN 1 AND 500),
    account_id bigint NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE FUNCTION protection_by() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT is_moderator(NEW.account_id) THEN
        PERFORM refuse('not_a_moderator');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER protection_by BEFORE INSERT OR UPDATE ON ip_blocks FOR EACH ROW EXECUTE FUNCTION protection_by();
CREATE TRIGGER protection_by BEFORE INSERT OR UPDATE ON email_domain_blocks FOR EACH ROW EXECUTE FUNCTION protection_by();
CREATE TRIGGER protection_by BEFORE INSERT OR UPDATE ON canonical_email_blocks FOR EACH ROW EXECUTE FUNCTION protection_by();
CREATE FUNCTION protection_recorded() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    standing bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM public.%I', TG_TABLE_NAME) INTO standing;
    PERFORM ledger_append('protection', jsonb_build_object('protection', TG_TABLE_NAME, 'standing', standing,
        'change', CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END));
    RETURN NULL;
END $$;
CREATE TRIGGER protection_recorded AFTER INSERT OR UPDATE OR DELETE ON ip_blocks
    FOR EACH ROW EXECUTE FUNCTION protection_recorded();
CREATE TRIGGER protection_recorded AFTER INSERT OR UPDATE OR DELETE ON email_domain_blocks
    FOR EACH ROW EXECUTE FUNCTION protection_recorded();
CREATE TRIGGER protection_recorded AFTER INSERT OR UPDATE OR DELETE ON canonical_email_blocks
    FOR EACH ROW EXECUTE FUNCTION protection_recorded();
GRANT SELECT, INSERT, UPDATE, DELETE ON ip_blocks, email_domain_blocks, email_domain_tries, canonical_email_blocks
    TO parvis_app;

-- What moderators note on a report, which itself stays as it was made. Reopened, it is part of another case as well.
CREATE TABLE report_handling (
    report_id bigint PRIMARY KEY REFERENCES reports,
    assigned_id bigint REFERENCES accounts,
    category text CHECK (category IN ('spam', 'legal', 'violation', 'other')),
    version_ids bigint[],
    case_id bigint REFERENCES cases,
    updated_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX report_handling_case ON report_handling (case_id) WHERE case_id IS NOT NULL;
CREATE FUNCTION report_reopens() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM reports r JOIN cases c ON c.target_id = r.target_id
                   WHERE r.id = NEW.report_id AND c.id = NEW.case_id) THEN
        PERFORM refuse('other_case');
    ELSIF EXISTS (SELECT FROM cases c WHERE c.id = NEW.case_id AND c.closed_at IS NOT NULL) THEN
        PERFORM refuse('case_closed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER report_reopens BEFORE INSERT ON report_handling
    FOR EACH ROW WHEN (NEW.case_id IS NOT NULL) EXECUTE FUNCTION report_reopens();
CREATE TRIGGER report_reopens_again BEFORE UPDATE ON report_handling
    FOR EACH ROW WHEN (NEW.case_id IS DISTINCT FROM OLD.case_id) EXECUTE FUNCTION report_reopens();
CREATE FUNCTION reports_in(in_case bigint) RETURNS SETOF reports LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.* FROM reports r WHERE r.case_id = in_case
    UNION SELECT r.* FROM report_handling h JOIN reports r ON r.id = h.report_id WHERE h.case_id = in_case
$$;
GRANT SELECT ON report_handling TO parvis_app;
GRANT INSERT (report_id, assigned_id, category, version_ids, case_id, updated_at),
    UPDATE (assigned_id, category, version_ids, case_id, updated_at) ON report_handling TO parvis_app;

-- The three functions that look at a case's reports, looking at those reopened in it, too.
CREATE OR REPLACE FUNCTION acts(target bigint, posts bigint[], in_case bigint) RETURNS SETOF timestamptz LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    newest timestamptz;
BEGIN
    IF cardinality(posts) > 0 THEN
        RETURN QUERY SELECT greatest(s.received_at, s.edit_received_at) FROM statuses s WHERE s.id = ANY (posts);
        RETURN;
    END IF;
    SELECT max(greatest(s.received_at, s.edit_received_at)) INTO newest
        FROM reports_in(in_case) r JOIN statuses s ON s.id = ANY (r.status_ids) AND s.account_id = target;
    RETURN NEXT coalesce(newest, to_timestamp((target >> 16) / 1000.0));
END $$;
CREATE OR REPLACE FUNCTION appeal_may_be_made() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision decisions;
BEGIN
    SELECT * INTO decision FROM decisions WHERE id = NEW.decision_id;
    IF NEW.account_id IS DISTINCT FROM decision.target_id AND NOT EXISTS (
        SELECT FROM reports_in(decision.case_id) r WHERE r.account_id = NEW.account_id) THEN
        PERFORM refuse('not_a_party');
    ELSIF law_now() > ledger_public_since(decision.leaf_id) + (charter_terms(parvis_now()) ->> 'appeal_time')::interval THEN
        PERFORM refuse('too_late');
    END IF;
    NEW.created_at := parvis_now();
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION appeal_decided() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision decisions;
    appellant bigint;
BEGIN
    SELECT d.* INTO decision FROM appeals a JOIN decisions d ON d.id = a.decision_id WHERE a.id = NEW.appeal_id;
    SELECT account_id INTO appellant FROM appeals WHERE id = NEW.appeal_id;
    PERFORM one_by_one(decision.target_id);
    IF NOT is_moderator(NEW.decided_by) THEN
        PERFORM refuse('not_a_moderator');
    ELSIF NEW.decided_by IN (decision.decided_by, decision.target_id, appellant)
       OR EXISTS (SELECT FROM decision_confirmations c
                  WHERE c.decision_id = decision.id AND c.moderator_id = NEW.decided_by)
       OR EXISTS (SELECT FROM reports_in(decision.case_id) r WHERE r.account_id = NEW.decided_by) THEN
        PERFORM refuse('took_part');
    END IF;
    NEW.decided_at := parvis_now();
    NEW.leaf_id := ledger_append('appeal', jsonb_build_object('decision', decision.id, 'outcome', NEW.outcome,
        'reasons', redacted(NEW.reasons, decision.target_id)));
    RETURN NEW;
END $$;

-- A whole server can be kept out, or its posts to those who follow them. That is a decision like any other: one ground, in
-- force at the act, below its ceiling, two moderators where a person's suspension takes two, the record's receipt first.
-- A block goes by the number of its first decision; what is changed of it is another decision of the same block.
CREATE TABLE domain_decisions (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    block_id bigint NOT NULL,
    domain text NOT NULL CHECK (domain ~ '^[a-z0-9]([a-z0-9_.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?$'),
    severity text NOT NULL CHECK (severity IN ('noop', 'silence', 'suspend')),
    level smallint NOT NULL REFERENCES measure_kinds,
    reject_media boolean NOT NULL,
    reject_reports boolean NOT NULL,
    status_ids bigint[] NOT NULL DEFAULT '{}',
    article_version_id bigint REFERENCES article_versions,
    legal_order_id bigint REFERENCES legal_orders,
    facts text NOT NULL CHECK (length(facts) BETWEEN 1 AND 5000),
    ends_at timestamptz,
    decided_by bigint NOT NULL REFERENCES accounts,
    decided_at timestamptz NOT NULL,
    act_at timestamptz NOT NULL,
    leaf_id bigint NOT NULL REFERENCES ledger_leaves,
    CONSTRAINT exactly_one_ground CHECK (num_nonnulls(article_version_id, legal_order_id) = 1),
    CONSTRAINT level_of_severity CHECK (CASE severity WHEN 'suspend' THEN level IN (6, 7) WHEN 'silence' THEN level = 3
        ELSE level = CASE WHEN reject_media OR reject_reports THEN 3 ELSE 1 END END)
);
CREATE INDEX domain_decisions_block ON domain_decisions (block_id, id DESC);
CREATE INDEX domain_decisions_domain ON domain_decisions (domain);
-- What is said beside the reasons: to moderators, to everybody, and whether everybody may read the name.
CREATE TABLE domain_comments (
    block_id bigint PRIMARY KEY REFERENCES domain_decisions,
    private_comment text CHECK (length(private_comment) <= 5000),
    public_comment text CHECK (length(public_comment) <= 5000),
    obfuscate boolean NOT NULL DEFAULT false
);
CREATE TABLE domain_confirmations (
    decision_id bigint PRIMARY KEY REFERENCES domain_decisions,
    moderator_id bigint NOT NULL REFERENCES accounts,
    confirmed_at timestamptz NOT NULL,
    leaf_id bigint NOT NULL REFERENCES ledger_leaves
);
CREATE TABLE domain_measures (
    decision_id bigint PRIMARY KEY REFERENCES domain_decisions,
    block_id bigint NOT NULL,
    domain text NOT NULL,
    severity text NOT NULL,
    reject_media boolean NOT NULL,
    reject_reports boolean NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    lifted_at timestamptz
);
CREATE INDEX domain_measures_active ON domain_measures (domain) WHERE lifted_at IS NULL;
-- Servers that are welcome. In a city that speaks with every server it says only that.
CREATE TABLE domain_allows (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    domain text UNIQUE NOT NULL CHECK (length(domain) BETWEEN 1 AND 260),
    account_id bigint NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);

-- A moderator ends a measure before its time: a decision of its own, with its reasons, on the record before it works.
CREATE TABLE liftings (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    decision_id bigint UNIQUE REFERENCES decisions,
    domain_decision_id bigint UNIQUE REFERENCES domain_decisions,
    reasons text NOT NULL CHECK (length(reasons) BETWEEN 1 AND 5000),
    decided_by bigint NOT NULL REFERENCES accounts,
    decided_at timestamptz NOT NULL,
    leaf_id bigint NOT NULL REFERENCES ledger_leaves,
    CONSTRAINT exactly_one_decision CHECK (num_nonnulls(decision_id, domain_decision_id) = 1)
);

CREATE OR REPLACE FUNCTION ledger_record(kind text, entry jsonb) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF kind IN ('charter', 'proposal', 'decision', 'confirmation', 'measure', 'appeal', 'appointment', 'domain', 'lifting',
                'protection') THEN
        PERFORM refuse('kind_reserved');
    ELSIF coalesce(kind !~ '^[a-z]{1,20}$', true) THEN
        PERFORM refuse('kind_wrong');
    ELSIF coalesce(jsonb_typeof(entry) <> 'object', true) THEN
        PERFORM refuse('entry_wrong');
    END IF;
    RETURN ledger_append(kind, entry);
END $$;

-- Is a host this domain, or below it?
CREATE FUNCTION under(host text, domain text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT host = domain OR right(host, length(domain) + 1) = '.' || domain
        OR split_part(host, ':', 1) = domain OR right(split_part(host, ':', 1), length(domain) + 1) = '.' || domain
$$;
-- Handles, addresses and links are left out of what is said of a server, too: people have them.
CREATE FUNCTION redacted_words(words text) RETURNS text LANGUAGE sql IMMUTABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT regexp_replace(words,
        '(https?://|www\.)\S+|@?[[:alnum:]_.+-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)*|@[[:alnum:]_.-]+', '[…]', 'gi')
$$;
-- The act of a server: its people's cited posts, when they were received here; else its being met, which the number of its
-- first account carries; a server that nobody has met acts now.
CREATE FUNCTION domain_acts(of_domain text, posts bigint[]) RETURNS SETOF timestamptz LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT greatest(s.received_at, s.edit_received_at) FROM statuses s WHERE s.id = ANY (posts)
    UNION ALL SELECT coalesce((SELECT to_timestamp((min(a.id) >> 16) / 1000.0) FROM accounts a WHERE a.domain = of_domain),
                              parvis_now())
              WHERE cardinality(posts) = 0
$$;
CREATE FUNCTION domain_one_by_one(domain text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM law_now();
    PERFORM pg_advisory_xact_lock(hashtextextended('domain ' || domain, 0));
END $$;

CREATE FUNCTION domain_decision_stands() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kind measure_kinds;
    moments timestamptz[];
    ground jsonb;
    own city;
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
        'reject_media', NEW.reject_media, 'reject_reports', NEW.reject_reports, 'posts', cardinality(NEW.status_ids),
        'subject', encode(sha256(convert_to(NEW.domain, 'UTF8')), 'hex'), 'reasons', redacted_words(NEW.facts))));
    RETURN NEW;
END $$;
CREATE TRIGGER domain_decision_stands BEFORE INSERT ON domain_decisions
    FOR EACH ROW EXECUTE FUNCTION domain_decision_stands();
CREATE TRIGGER domain_decision_kept BEFORE UPDATE OR DELETE ON domain_decisions
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION domain_confirmation_stands() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT is_moderator(NEW.moderator_id) THEN
        PERFORM refuse('not_a_moderator');
    ELSIF EXISTS (SELECT FROM domain_decisions d WHERE d.id = NEW.decision_id AND d.decided_by = NEW.moderator_id) THEN
        PERFORM refuse('took_part');
    END IF;
    NEW.confirmed_at := parvis_now();
    NEW.leaf_id := ledger_append('confirmation', jsonb_build_object('decision', NEW.decision_id));
    RETURN NEW;
END $$;
CREATE TRIGGER domain_confirmation_stands BEFORE INSERT ON domain_confirmations
    FOR EACH ROW EXECUTE FUNCTION domain_confirmation_stands();
CREATE TRIGGER domain_confirmation_kept BEFORE UPDATE OR DELETE ON domain_confirmations
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION lifting_stands() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    target bigint := (SELECT target_id FROM decisions d WHERE d.id = NEW.decision_id);
BEGIN
    PERFORM law_now();
    IF num_nonnulls(NEW.decision_id, NEW.domain_decision_id) <> 1 THEN
        PERFORM refuse('exactly_one_decision');
    ELSIF NOT is_moderator(NEW.decided_by) THEN
        PERFORM refuse('not_a_moderator');
    ELSIF NEW.decided_by = target THEN
        PERFORM refuse('own_case');
    ELSIF NEW.decision_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM measures m WHERE m.decision_id = NEW.decision_id AND m.lifted_at IS NULL)
       OR NEW.domain_decision_id IS NOT NULL AND (
            NOT EXISTS (SELECT FROM domain_decisions d WHERE d.id = NEW.domain_decision_id)
            OR EXISTS (SELECT FROM domain_measures m
                       WHERE m.decision_id = NEW.domain_decision_id AND m.lifted_at IS NOT NULL)) THEN
        PERFORM refuse('nothing_to_lift');
    END IF;
    NEW.decided_at := parvis_now();
    NEW.leaf_id := ledger_append('lifting', jsonb_build_object(
        'decision', coalesce(NEW.decision_id, NEW.domain_decision_id),
        'reasons', coalesce(redacted(NEW.reasons, target), redacted_words(NEW.reasons))));
    RETURN NEW;
END $$;
CREATE TRIGGER lifting_stands BEFORE INSERT ON liftings FOR EACH ROW EXECUTE FUNCTION lifting_stands();
CREATE TRIGGER lifting_kept BEFORE UPDATE OR DELETE ON liftings FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE OR REPLACE FUNCTION measure_ends() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM one_by_one(OLD.target_id);
    IF OLD.lifted_at IS NOT NULL OR NEW.lifted_at IS NULL THEN
        PERFORM refuse('append_only');
    ELSIF coalesce(OLD.ends_at > parvis_now(), true) AND NOT overturned(OLD.decision_id)
       AND NOT EXISTS (SELECT FROM liftings l WHERE l.decision_id = OLD.decision_id AND ledger_receipt(l.leaf_id)) THEN
        PERFORM refuse('not_over');
    END IF;
    NEW := OLD;
    NEW.lifted_at := parvis_now();
    PERFORM ledger_append('measure', jsonb_build_object('decision', OLD.decision_id, 'lifted', true));
    RETURN NEW;
END $$;

CREATE FUNCTION domain_measure_begins() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision domain_decisions;
BEGIN
    SELECT * INTO decision FROM domain_decisions WHERE id = NEW.decision_id;
    PERFORM domain_one_by_one(decision.domain);
    IF decision.id IS NULL THEN
        PERFORM refuse('nothing_to_do');
    ELSIF NOT ledger_receipt(decision.leaf_id) THEN
        PERFORM refuse('no_receipt');
    ELSIF (SELECT moderators FROM measure_kinds k WHERE k.level = decision.level) > 1
       AND NOT EXISTS (SELECT FROM domain_confirmations c
                       WHERE c.decision_id = decision.id AND ledger_receipt(c.leaf_id)) THEN
        PERFORM refuse('second_moderator_missing');
    ELSIF EXISTS (SELECT FROM liftings l WHERE l.domain_decision_id = decision.id) THEN
        PERFORM refuse('withdrawn');
    ELSIF EXISTS (SELECT FROM domain_measures m WHERE m.block_id = decision.block_id AND m.decision_id > decision.id) THEN
        PERFORM refuse('replaced');
    ELSIF decision.ends_at <= parvis_now() THEN
        PERFORM refuse('over');
    END IF;
    NEW.block_id := decision.block_id;
    NEW.domain := decision.domain;
    NEW.severity := decision.severity;
    NEW.reject_media := decision.reject_media;
    NEW.reject_reports := decision.reject_reports;
    NEW.starts_at := parvis_now();
    NEW.ends_at := decision.ends_at;
    NEW.lifted_at := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER domain_measure_begins BEFORE INSERT ON domain_measures
    FOR EACH ROW EXECUTE FUNCTION domain_measure_begins();
CREATE FUNCTION domain_measure_ends() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM domain_one_by_one(OLD.domain);
    IF OLD.lifted_at IS NOT NULL OR NEW.lifted_at IS NULL THEN
        PERFORM refuse('append_only');
    ELSIF coalesce(OLD.ends_at > parvis_now(), true)
       AND NOT EXISTS (SELECT FROM liftings l WHERE l.domain_decision_id = OLD.decision_id AND ledger_receipt(l.leaf_id))
       AND NOT EXISTS (SELECT FROM domain_measures m
                       WHERE m.block_id = OLD.block_id AND m.decision_id > OLD.decision_id) THEN
        PERFORM refuse('not_over');
    END IF;
    NEW := OLD;
    NEW.lifted_at := parvis_now();
    PERFORM ledger_append('measure', jsonb_build_object('decision', OLD.decision_id, 'lifted', true));
    RETURN NEW;
END $$;
CREATE TRIGGER domain_measure_ends BEFORE UPDATE ON domain_measures FOR EACH ROW EXECUTE FUNCTION domain_measure_ends();
CREATE TRIGGER domain_measure_kept BEFORE DELETE ON domain_measures FOR EACH ROW EXECUTE FUNCTION append_only();

-- What a person's account is by the measures in force, on them and on their server.
CREATE FUNCTION account_measured(account bigint, severe boolean, home text, address text) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT min(since) FROM (
        SELECT m.starts_at AS since FROM measures m
        WHERE m.target_id = account AND m.lifted_at IS NULL AND m.level = ANY (CASE WHEN severe THEN '{6,7}'::int[] ELSE '{3}' END)
        UNION ALL
        SELECT m.starts_at FROM domain_measures m
        WHERE m.lifted_at IS NULL AND m.severity = CASE WHEN severe THEN 'suspend' ELSE 'silence' END AND home IS NOT NULL
          AND (under(home, m.domain) OR under(split_part(address, '/', 3), m.domain))) x
$$;
CREATE OR REPLACE FUNCTION measure_takes_effect() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.level IN (3, 6, 7) THEN
        UPDATE accounts a SET suspended_at = account_measured(a.id, true, a.domain, a.uri),
                              limited_at = account_measured(a.id, false, a.domain, a.uri)
        WHERE a.id = NEW.target_id;
    ELSIF NEW.level = 4 THEN
        UPDATE statuses s SET removed_at = (SELECT min(starts_at) FROM measures m
            WHERE m.level = 4 AND m.lifted_at IS NULL AND m.status_ids @> ARRAY[s.id])
        WHERE s.id = ANY (NEW.status_ids);
    ELSIF NEW.level = 2 THEN
        UPDATE statuses s SET sensitive = s.id = ANY (NEW.marked_before) OR EXISTS (
            SELECT FROM measures m WHERE m.level = 2 AND m.lifted_at IS NULL AND m.status_ids @> ARRAY[s.id])
        WHERE s.id = ANY (NEW.status_ids);
    END IF;
    RETURN NULL;
END $$;
-- The lock is shared with whoever is being met at this moment: nobody slips in between.
CREATE FUNCTION domain_measure_takes_effect() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('accounts of blocked domains', 0));
    UPDATE accounts a SET suspended_at = account_measured(a.id, true, a.domain, a.uri),
                          limited_at = account_measured(a.id, false, a.domain, a.uri)
    WHERE a.domain IS NOT NULL AND (under(a.domain, NEW.domain) OR under(split_part(a.uri, '/', 3), NEW.domain));
    RETURN NULL;
END $$;
CREATE TRIGGER domain_measure_takes_effect AFTER INSERT OR UPDATE ON domain_measures
    FOR EACH ROW EXECUTE FUNCTION domain_measure_takes_effect();
CREATE FUNCTION account_is_met() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('accounts of blocked domains', 0));
    NEW.suspended_at := coalesce(account_measured(NEW.id, true, NEW.domain, NEW.uri), NEW.suspended_at);
    NEW.limited_at := coalesce(account_measured(NEW.id, false, NEW.domain, NEW.uri), NEW.limited_at);
    RETURN NEW;
END $$;
CREATE TRIGGER account_is_met BEFORE INSERT ON accounts FOR EACH ROW
    WHEN (NEW.domain IS NOT NULL) EXECUTE FUNCTION account_is_met();

GRANT SELECT ON domain_decisions, domain_comments, domain_confirmations, domain_measures, domain_allows, liftings TO parvis_app;
GRANT INSERT (block_id, domain, severity, level, reject_media, reject_reports, status_ids, article_version_id, legal_order_id,
    facts, ends_at, decided_by) ON domain_decisions TO parvis_app;
GRANT INSERT, UPDATE (private_comment, public_comment, obfuscate) ON domain_comments TO parvis_app;
GRANT INSERT (decision_id, moderator_id) ON domain_confirmations TO parvis_app;
GRANT INSERT (decision_id), UPDATE (lifted_at) ON domain_measures TO parvis_app;
GRANT INSERT, DELETE ON domain_allows TO parvis_app;
GRANT INSERT (decision_id, domain_decision_id, reasons, decided_by) ON liftings TO parvis_app;

-- As in 0008: nothing new is anybody's to call, and guards are deaf to a session's settings.
DO $$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT p.oid::regprocedure AS name, p.prosecdef AS guard FROM pg_proc p
               WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
                   AND p.proname IN ('protection_by', 'protection_recorded', 'report_reopens', 'reports_in', 'acts',
                       'appeal_may_be_made', 'appeal_decided', 'ledger_record', 'under', 'redacted_words', 'domain_acts',
                       'domain_one_by_one', 'domain_decision_stands', 'domain_confirmation_stands', 'lifting_stands',
                       'measure_ends', 'domain_measure_begins', 'domain_measure_ends', 'account_measured',
                       'measure_takes_effect', 'domain_measure_takes_effect', 'account_is_met') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own.name);
        IF own.guard THEN
            EXECUTE format('ALTER FUNCTION %s SET TimeZone = ''UTC'' SET DateStyle = ''ISO, YMD''
                SET IntervalStyle = ''postgres'' SET standard_conforming_strings = on', own.name);
        END IF;
    END LOOP;
END $$;

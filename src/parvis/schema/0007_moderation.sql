-- Reports, cases, decisions, measures and appeals (moderation/). A decision rests on exactly one ground, a rule that was in
-- force when the act took place or an order of the law; its effect waits for the public record's receipt.

CREATE TABLE measure_kinds (
    level smallint PRIMARY KEY,
    word text UNIQUE NOT NULL,
    needs_posts boolean NOT NULL,
    needs_end boolean NOT NULL,
    longest text,                                  -- the number of Title I that limits it
    moderators smallint NOT NULL
);
INSERT INTO measure_kinds VALUES
    (0, 'none', false, false, NULL, 1), (1, 'warning', false, false, NULL, 1), (2, 'label', true, false, NULL, 1),
    (3, 'reduced_visibility', false, true, 'limited_longest', 1), (4, 'removal', true, false, NULL, 1),
    (5, 'posting_freeze', false, true, 'frozen_longest', 1), (6, 'suspension', false, true, 'suspended_longest', 2),
    (7, 'exclusion', false, false, NULL, 2);

CREATE TABLE cases (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    target_id bigint NOT NULL REFERENCES accounts,
    opened_at timestamptz NOT NULL DEFAULT parvis_now(),
    closed_at timestamptz
);
CREATE UNIQUE INDEX cases_open ON cases (target_id) WHERE closed_at IS NULL;
CREATE INDEX cases_target ON cases (target_id, id DESC);

CREATE TABLE reports (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    case_id bigint NOT NULL REFERENCES cases,
    account_id bigint NOT NULL REFERENCES accounts,
    target_id bigint NOT NULL REFERENCES accounts,
    status_ids bigint[] NOT NULL DEFAULT '{}',
    version_ids bigint[] NOT NULL DEFAULT '{}',    -- the article versions the reporter names
    category text NOT NULL DEFAULT 'other',
    comment text NOT NULL DEFAULT '' CHECK (length(comment) <= 5000),
    forward boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX reports_case ON reports (case_id);
CREATE INDEX reports_target ON reports (target_id, id DESC);

CREATE TABLE legal_orders (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    authority text NOT NULL CHECK (authority <> ''),
    reference text NOT NULL CHECK (reference <> ''),
    text text NOT NULL CHECK (text <> ''),
    received_at timestamptz NOT NULL DEFAULT parvis_now()
);

CREATE TABLE decisions (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    case_id bigint NOT NULL REFERENCES cases,
    target_id bigint NOT NULL REFERENCES accounts,
    status_ids bigint[] NOT NULL DEFAULT '{}',
    level smallint NOT NULL REFERENCES measure_kinds,
    article_version_id bigint REFERENCES article_versions,
    legal_order_id bigint REFERENCES legal_orders,
    facts text NOT NULL CHECK (length(facts) BETWEEN 1 AND 5000),
    ends_at timestamptz,
    decided_by bigint NOT NULL REFERENCES accounts,
    decided_at timestamptz NOT NULL,
    act_at timestamptz NOT NULL,
    subject_key bytea NOT NULL,                    -- opens the commitment by which the public entry names its subject
    leaf_id bigint NOT NULL REFERENCES ledger_leaves,
    CONSTRAINT exactly_one_ground CHECK (num_nonnulls(article_version_id, legal_order_id) = 1)
);
CREATE INDEX decisions_case ON decisions (case_id);
CREATE INDEX decisions_target ON decisions (target_id, id DESC);

CREATE TABLE decision_confirmations (
    decision_id bigint PRIMARY KEY REFERENCES decisions,
    moderator_id bigint NOT NULL REFERENCES accounts,
    confirmed_at timestamptz NOT NULL,
    leaf_id bigint NOT NULL REFERENCES ledger_leaves
);
-- DSA article 17: written with the decision, delivered before or with its effect.
CREATE TABLE statements_of_reasons (
    decision_id bigint PRIMARY KEY REFERENCES decisions,
    facts text NOT NULL,
    ground text NOT NULL,
    redress text NOT NULL,
    delivered_at timestamptz
);
CREATE TABLE appeals (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    decision_id bigint NOT NULL REFERENCES decisions,
    account_id bigint NOT NULL REFERENCES accounts,
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 5000),
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    UNIQUE (decision_id, account_id)
);
CREATE TABLE appeal_decisions (
    appeal_id bigint PRIMARY KEY REFERENCES appeals,
    outcome text NOT NULL CHECK (outcome IN ('uphold', 'overturn')),
    reasons text NOT NULL CHECK (length(reasons) BETWEEN 1 AND 5000),
    decided_by bigint NOT NULL REFERENCES accounts,
    decided_at timestamptz NOT NULL,
    leaf_id bigint NOT NULL REFERENCES ledger_leaves
);
CREATE TABLE measures (
    decision_id bigint PRIMARY KEY REFERENCES decisions,
    level smallint NOT NULL,
    target_id bigint NOT NULL,
    status_ids bigint[] NOT NULL,
    marked_before bigint[] NOT NULL,               -- posts their author had marked sensitive: a label's end leaves them so
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    lifted_at timestamptz
);
CREATE INDEX measures_active ON measures (target_id, level) WHERE lifted_at IS NULL;
CREATE INDEX measures_posts ON measures USING gin (status_ids) WHERE lifted_at IS NULL;

CREATE FUNCTION is_moderator(account bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM users u JOIN accounts a ON a.id = u.account_id
                   WHERE u.account_id = account AND u.role = 'moderator' AND u.disabled_at IS NULL
                     AND a.deleted_at IS NULL AND a.suspended_at IS NULL)
$$;

-- Whoever is given the power to decide, or loses it, is counted on the public record: before any decision of theirs, since
-- entries are numbered in their order and a decision waits for its receipt.
CREATE FUNCTION appointment_recorded() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    holders bigint := (SELECT count(*) FROM users WHERE role = 'moderator' AND disabled_at IS NULL);
    change text;
BEGIN
    FOREACH change IN ARRAY ARRAY['taken', 'given'] LOOP
        IF change = 'taken' AND TG_OP <> 'INSERT' AND OLD.role = 'moderator' AND OLD.disabled_at IS NULL
           OR change = 'given' AND TG_OP <> 'DELETE' AND NEW.role = 'moderator' AND NEW.disabled_at IS NULL THEN
            PERFORM ledger_append('appointment',
                jsonb_build_object('power', 'moderator', 'change', change, 'holders', holders));
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER appointment_begins AFTER INSERT ON users FOR EACH ROW
    WHEN (NEW.role = 'moderator') EXECUTE FUNCTION appointment_recorded();
CREATE TRIGGER appointment_changes AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.role, OLD.disabled_at IS NULL, OLD.account_id) IS DISTINCT FROM (NEW.role, NEW.disabled_at IS NULL, NEW.account_id))
    EXECUTE FUNCTION appointment_recorded();
CREATE TRIGGER appointment_ends AFTER DELETE ON users FOR EACH ROW
    WHEN (OLD.role = 'moderator') EXECUTE FUNCTION appointment_recorded();
CREATE TRIGGER legal_order_kept BEFORE UPDATE OR DELETE ON legal_orders FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE FUNCTION case_closes() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL THEN
        PERFORM refuse('append_only');
    END IF;
    NEW := OLD;
    NEW.closed_at := law_now();
    RETURN NEW;
END $$;
CREATE TRIGGER case_closes BEFORE UPDATE ON cases FOR EACH ROW EXECUTE FUNCTION case_closes();
CREATE TRIGGER case_kept BEFORE DELETE ON cases FOR EACH ROW EXECUTE FUNCTION append_only();
-- What is decided of one person is decided one deed after the other: each then sees what the others left.
CREATE FUNCTION one_by_one(target bigint) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM law_now();
    PERFORM FROM accounts WHERE id = target FOR NO KEY UPDATE;
END $$;

-- A public entry names nobody: handles, addresses and links are left out of what moderators write.
CREATE FUNCTION redacted(words text, target bigint) RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT regexp_replace(
        regexp_replace(words, '(https?://|www\.)\S+|@?[[:alnum:]_.+-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)*|@[[:alnum:]_.-]+',
                       '[…]', 'gi'),
        '\m' || regexp_replace(a.username, '([^[:alnum:]_])', '\\\1', 'g') || '\M', '[…]', 'gi')
    FROM accounts a WHERE a.id = target
$$;

-- When the act took place. A post: when it, or its last edit, was received here. An account without a cited post: its newest
-- post cited in the case's reports, else the moment this city first met the account, which its id carries.
CREATE FUNCTION acts(target bigint, posts bigint[], in_case bigint) RETURNS SETOF timestamptz LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    newest timestamptz;
BEGIN
    IF cardinality(posts) > 0 THEN
        RETURN QUERY SELECT greatest(s.received_at, s.edit_received_at) FROM statuses s WHERE s.id = ANY (posts);
        RETURN;
    END IF;
    SELECT max(greatest(s.received_at, s.edit_received_at)) INTO newest
        FROM reports r JOIN statuses s ON s.id = ANY (r.status_ids) AND s.account_id = target WHERE r.case_id = in_case;
    RETURN NEXT coalesce(newest, to_timestamp((target >> 16) / 1000.0));
END $$;

CREATE FUNCTION report_fits() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM cases c WHERE c.id = NEW.case_id AND c.target_id = NEW.target_id) THEN
        PERFORM refuse('other_case');
    END IF;
    IF EXISTS (SELECT FROM cases c WHERE c.id = NEW.case_id AND c.closed_at IS NOT NULL) THEN
        PERFORM refuse('case_closed');
    END IF;
    IF EXISTS (SELECT FROM unnest(NEW.status_ids) cited
               WHERE NOT EXISTS (SELECT FROM statuses s WHERE s.id = cited AND s.account_id = NEW.target_id)) THEN
        PERFORM refuse('not_their_post');
    END IF;
    NEW.created_at := parvis_now();
    RETURN NEW;
END $$;
CREATE TRIGGER report_fits BEFORE INSERT ON reports FOR EACH ROW EXECUTE FUNCTION report_fits();
CREATE TRIGGER report_kept BEFORE UPDATE OR DELETE ON reports FOR EACH ROW EXECUTE FUNCTION append_only();

-- A rule binds the act it found in force, while it exists, and never more severely than the milder of then and now.
CREATE FUNCTION rule_allows(cited bigint, level smallint, posts bigint[], moments timestamptz[]) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    rule article_versions;
    today article_versions;
BEGIN
    SELECT * INTO rule FROM article_versions WHERE id = cited;
    IF EXISTS (SELECT FROM unnest(moments) moment WHERE NOT rule.in_force @> moment) THEN
        PERFORM refuse('not_in_force_at_the_act');
    END IF;
    -- The first charter is laid by the owner; from then on nobody is bound by what only its writer could read.
    IF rule.charter_version > 0 AND EXISTS (
        SELECT FROM unnest(moments) moment, charter_versions c
        WHERE c.number = rule.charter_version AND NOT coalesce(ledger_public_since(c.leaf_id) <= moment, false)) THEN
        PERFORM refuse('not_public_at_the_act');
    END IF;
    SELECT * INTO today FROM article_versions WHERE number = rule.number AND in_force @> parvis_now();
    IF today.id IS NULL THEN
        PERFORM refuse('article_repealed');
    END IF;
    IF level > rule.ceiling THEN
        PERFORM refuse('above_ceiling');
    ELSIF level > today.ceiling THEN
        PERFORM refuse('milder_law');
    END IF;
    IF rule.scope = 'procedure' OR (rule.scope = 'profiles' AND cardinality(posts) > 0)
       OR (rule.scope = 'public_posts' AND EXISTS (SELECT FROM statuses s WHERE s.id = ANY (posts)
                                                   AND s.visibility NOT IN ('public', 'unlisted'))) THEN
        PERFORM refuse('out_of_scope');
    END IF;
END $$;

CREATE FUNCTION decision_stands() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    kind measure_kinds;
    moments timestamptz[] := ARRAY(SELECT acts(NEW.target_id, NEW.status_ids, NEW.case_id));
    ground jsonb;
    subject text := (SELECT uri FROM accounts WHERE id = NEW.target_id);
BEGIN
    SELECT * INTO kind FROM measure_kinds k WHERE k.level = NEW.level;
    IF num_nonnulls(NEW.article_version_id, NEW.legal_order_id) <> 1 THEN
        PERFORM refuse('exactly_one_ground');
    ELSIF NOT is_moderator(NEW.decided_by) THEN
        PERFORM refuse('not_a_moderator');
    ELSIF NEW.decided_by = NEW.target_id THEN
        PERFORM refuse('own_case');
    ELSIF NOT EXISTS (SELECT FROM cases c WHERE c.id = NEW.case_id AND c.target_id = NEW.target_id) THEN
        PERFORM refuse('other_case');
    ELSIF EXISTS (SELECT FROM unnest(NEW.status_ids) cited
                  WHERE NOT EXISTS (SELECT FROM statuses s WHERE s.id = cited AND s.account_id = NEW.target_id)) THEN
        PERFORM refuse('not_their_post');
    ELSIF kind.needs_posts AND cardinality(NEW.status_ids) = 0 THEN
        PERFORM refuse('no_post');
    ELSIF kind.needs_end AND NEW.ends_at IS NULL THEN
        PERFORM refuse('no_end');
    ELSIF NOT kind.needs_end AND NEW.ends_at IS NOT NULL THEN
        PERFORM refuse('end_not_possible');
    ELSIF kind.needs_end AND coalesce(NEW.ends_at NOT BETWEEN parvis_now()
            AND parvis_now() + (charter_terms(parvis_now()) ->> kind.longest)::interval, true) THEN
        PERFORM refuse('too_long');
    END IF;
    IF NEW.status_ids IS NOT NULL THEN
        NEW.status_ids := ARRAY(SELECT DISTINCT cited FROM unnest(NEW.status_ids) cited ORDER BY cited);
    END IF;
    NEW.decided_at := law_now();
    NEW.act_at := (SELECT max(moment) FROM unnest(moments) moment);
    IF NEW.act_at > NEW.decided_at THEN
        PERFORM refuse('act_in_the_future');
    END IF;
    IF NEW.article_version_id IS NOT NULL THEN
        PERFORM rule_allows(NEW.article_version_id, NEW.level, NEW.status_ids, moments);
    END IF;
    NEW.subject_key := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    ground := coalesce(
        (SELECT jsonb_build_object('article', v.number, 'charter_version', v.charter_version, 'heading', v.heading)
         FROM article_versions v WHERE v.id = NEW.article_version_id),
        (SELECT jsonb_build_object('authority', o.authority, 'reference', o.reference,
             'order_hash', encode(sha256(convert_to(o.text, 'UTF8')), 'hex'))
         FROM legal_orders o WHERE o.id = NEW.legal_order_id));
    IF ground IS NULL THEN
        PERFORM refuse('ground_unknown');
    END IF;
    NEW.leaf_id := ledger_append('decision', ground || jsonb_strip_nulls(jsonb_build_object('decision', NEW.id,
        'level', NEW.level, 'measure', kind.word, 'ends_at', NEW.ends_at, 'posts', cardinality(NEW.status_ids),
        'subject', encode(sha256(NEW.subject_key || convert_to(subject, 'UTF8')), 'hex'),
        'reasons', redacted(NEW.facts, NEW.target_id))));
    RETURN NEW;
END $$;
CREATE TRIGGER decision_stands BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION decision_stands();
CREATE TRIGGER decision_kept BEFORE UPDATE OR DELETE ON decisions FOR EACH ROW EXECUTE FUNCTION append_only();

-- Every decision has its statement of reasons from the same moment. How to appeal is what the charter's article says of it.
CREATE FUNCTION decision_explained() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO statements_of_reasons (decision_id, facts, ground, redress)
    SELECT NEW.id, NEW.facts, coalesce(
        (SELECT v.number || ' ' || v.heading || E'\n' || v.text FROM article_versions v WHERE v.id = NEW.article_version_id),
        (SELECT o.authority || ', ' || o.reference || E'\n' || o.text FROM legal_orders o WHERE o.id = NEW.legal_order_id)),
        (SELECT v.text FROM article_versions v WHERE v.number LIKE 'I.%' AND v.in_force @> parvis_now()
         AND v.parameters ? 'appeal_time');
    RETURN NULL;
END $$;
CREATE TRIGGER decision_explained AFTER INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION decision_explained();

CREATE FUNCTION statement_delivered() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.delivered_at IS NOT NULL OR NEW.delivered_at IS NULL THEN
        PERFORM refuse('append_only');
    END IF;
    NEW := OLD;
    NEW.delivered_at := parvis_now();
    RETURN NEW;
END $$;
CREATE TRIGGER statement_delivered BEFORE UPDATE ON statements_of_reasons
    FOR EACH ROW EXECUTE FUNCTION statement_delivered();
CREATE TRIGGER statement_kept BEFORE DELETE ON statements_of_reasons FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION confirmation_stands() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision decisions;
BEGIN
    SELECT * INTO decision FROM decisions WHERE id = NEW.decision_id;
    IF NOT is_moderator(NEW.moderator_id) THEN
        PERFORM refuse('not_a_moderator');
    ELSIF NEW.moderator_id IN (decision.decided_by, decision.target_id) THEN
        PERFORM refuse('took_part');
    END IF;
    NEW.confirmed_at := parvis_now();
    NEW.leaf_id := ledger_append('confirmation', jsonb_build_object('decision', NEW.decision_id));
    RETURN NEW;
END $$;
CREATE TRIGGER confirmation_stands BEFORE INSERT ON decision_confirmations
    FOR EACH ROW EXECUTE FUNCTION confirmation_stands();
CREATE TRIGGER confirmation_kept BEFORE UPDATE OR DELETE ON decision_confirmations
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION appeal_may_be_made() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision decisions;
BEGIN
    SELECT * INTO decision FROM decisions WHERE id = NEW.decision_id;
    IF NEW.account_id IS DISTINCT FROM decision.target_id AND NOT EXISTS (
        SELECT FROM reports r WHERE r.case_id = decision.case_id AND r.account_id = NEW.account_id) THEN
        PERFORM refuse('not_a_party');
    ELSIF law_now() > ledger_public_since(decision.leaf_id) + (charter_terms(parvis_now()) ->> 'appeal_time')::interval THEN
        PERFORM refuse('too_late');
    END IF;
    NEW.created_at := parvis_now();
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_may_be_made BEFORE INSERT ON appeals FOR EACH ROW EXECUTE FUNCTION appeal_may_be_made();
CREATE TRIGGER appeal_kept BEFORE UPDATE OR DELETE ON appeals FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION appeal_decided() RETURNS trigger LANGUAGE plpgsql
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
       OR EXISTS (SELECT FROM reports r WHERE r.case_id = decision.case_id AND r.account_id = NEW.decided_by) THEN
        PERFORM refuse('took_part');
    END IF;
    NEW.decided_at := parvis_now();
    NEW.leaf_id := ledger_append('appeal', jsonb_build_object('decision', decision.id, 'outcome', NEW.outcome,
        'reasons', redacted(NEW.reasons, decision.target_id)));
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_decided BEFORE INSERT ON appeal_decisions FOR EACH ROW EXECUTE FUNCTION appeal_decided();
CREATE TRIGGER appeal_decision_kept BEFORE UPDATE OR DELETE ON appeal_decisions
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION overturned(decision bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM appeal_decisions o JOIN appeals a ON a.id = o.appeal_id
                   WHERE a.decision_id = decision AND o.outcome = 'overturn')
$$;

CREATE FUNCTION measure_begins() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    decision decisions;
BEGIN
    SELECT * INTO decision FROM decisions WHERE id = NEW.decision_id;
    PERFORM one_by_one(decision.target_id);
    IF decision.id IS NULL OR decision.level = 0 THEN
        PERFORM refuse('nothing_to_do');
    ELSIF NOT ledger_receipt(decision.leaf_id) THEN
        PERFORM refuse('no_receipt');
    ELSIF (SELECT moderators FROM measure_kinds k WHERE k.level = decision.level) > 1
       AND NOT EXISTS (SELECT FROM decision_confirmations c
                       WHERE c.decision_id = decision.id AND ledger_receipt(c.leaf_id)) THEN
        PERFORM refuse('second_moderator_missing');
    ELSIF NOT EXISTS (SELECT FROM statements_of_reasons s WHERE s.decision_id = decision.id AND s.delivered_at IS NOT NULL) THEN
        PERFORM refuse('statement_undelivered');
    ELSIF overturned(decision.id) THEN
        PERFORM refuse('overturned');
    ELSIF decision.ends_at <= parvis_now() THEN
        PERFORM refuse('over');
    END IF;
    NEW.level := decision.level;
    NEW.target_id := decision.target_id;
    NEW.status_ids := decision.status_ids;
    NEW.starts_at := parvis_now();
    NEW.ends_at := decision.ends_at;
    NEW.lifted_at := NULL;
    NEW.marked_before := ARRAY(
        SELECT s.id FROM statuses s WHERE s.id = ANY (decision.status_ids) AND s.sensitive AND NOT EXISTS (
            SELECT FROM measures m WHERE m.level = 2 AND m.lifted_at IS NULL
            AND s.id = ANY (m.status_ids) AND NOT s.id = ANY (m.marked_before)));
    RETURN NEW;
END $$;
CREATE TRIGGER measure_begins BEFORE INSERT ON measures FOR EACH ROW EXECUTE FUNCTION measure_begins();

CREATE FUNCTION measure_ends() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM one_by_one(OLD.target_id);
    IF OLD.lifted_at IS NOT NULL OR NEW.lifted_at IS NULL THEN
        PERFORM refuse('append_only');
    ELSIF coalesce(OLD.ends_at > parvis_now(), true) AND NOT overturned(OLD.decision_id) THEN
        PERFORM refuse('not_over');
    END IF;
    NEW := OLD;
    NEW.lifted_at := parvis_now();
    PERFORM ledger_append('measure', jsonb_build_object('decision', OLD.decision_id, 'lifted', true));
    RETURN NEW;
END $$;
CREATE TRIGGER measure_ends BEFORE UPDATE ON measures FOR EACH ROW EXECUTE FUNCTION measure_ends();
CREATE TRIGGER measure_kept BEFORE DELETE ON measures FOR EACH ROW EXECUTE FUNCTION append_only();

-- The columns the application cannot write follow from the measures in force, and from nothing else.
CREATE FUNCTION measure_takes_effect() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.level IN (3, 6, 7) THEN
        UPDATE accounts a SET
            suspended_at = (SELECT min(starts_at) FROM measures m
                            WHERE m.target_id = a.id AND m.level IN (6, 7) AND m.lifted_at IS NULL),
            limited_at = (SELECT min(starts_at) FROM measures m
                          WHERE m.target_id = a.id AND m.level = 3 AND m.lifted_at IS NULL)
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
CREATE TRIGGER measure_takes_effect AFTER INSERT OR UPDATE ON measures FOR EACH ROW EXECUTE FUNCTION measure_takes_effect();

-- An author cannot take a label off.
CREATE FUNCTION status_stays_labelled() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    NEW.sensitive := EXISTS (SELECT FROM measures m
                             WHERE m.level = 2 AND m.lifted_at IS NULL AND m.status_ids @> ARRAY[NEW.id]);
    RETURN NEW;
END $$;
CREATE TRIGGER status_stays_labelled BEFORE UPDATE OF sensitive ON statuses FOR EACH ROW
    WHEN (OLD.sensitive AND NOT NEW.sensitive) EXECUTE FUNCTION status_stays_labelled();

GRANT SELECT ON measure_kinds, cases, reports, legal_orders, decisions, decision_confirmations, statements_of_reasons,
    appeals, appeal_decisions, measures TO parvis_app;
GRANT INSERT (target_id), UPDATE (closed_at) ON cases TO parvis_app;
GRANT INSERT (case_id, account_id, target_id, status_ids, version_ids, category, comment, forward) ON reports TO parvis_app;
GRANT INSERT (authority, reference, text) ON legal_orders TO parvis_app;
GRANT INSERT (case_id, target_id, status_ids, level, article_version_id, legal_order_id, facts, ends_at, decided_by)
    ON decisions TO parvis_app;
GRANT INSERT (decision_id, moderator_id) ON decision_confirmations TO parvis_app;
GRANT UPDATE (delivered_at) ON statements_of_reasons TO parvis_app;
GRANT INSERT (decision_id, account_id, text) ON appeals TO parvis_app;
GRANT INSERT (appeal_id, outcome, reasons, decided_by) ON appeal_decisions TO parvis_app;
GRANT INSERT (decision_id), UPDATE (lifted_at) ON measures TO parvis_app;

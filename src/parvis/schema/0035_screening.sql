-- What comes in is looked at for signs of spam (screening/). Which signs count, how much, and what follows are numbers of the
-- charter; a post that is kept back is shown to nobody but its author, is told why, and comes out again by itself.

ALTER TABLE statuses ADD COLUMN held_at timestamptz;  -- written by holds only; while it stands, so does removed_at

CREATE TABLE holds (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    status_id bigint UNIQUE NOT NULL REFERENCES statuses ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    article_version_id bigint NOT NULL REFERENCES article_versions,
    rules text[] NOT NULL,
    score integer NOT NULL,
    quoting jsonb,                                 -- what it quotes, to be settled when it comes out
    state text NOT NULL,
    began_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by bigint REFERENCES accounts,
    reasons text CHECK (length(reasons) BETWEEN 1 AND 5000),
    decision_id bigint REFERENCES decisions,
    appeal text CHECK (length(appeal) BETWEEN 1 AND 5000),
    appealed_at timestamptz
);
CREATE INDEX holds_account ON holds (account_id, id DESC);
CREATE INDEX holds_due ON holds (ends_at) WHERE state = 'held';
CREATE INDEX holds_decision ON holds (decision_id) WHERE decision_id IS NOT NULL;
CREATE TABLE hold_steps (
    before text NOT NULL,
    step text NOT NULL,
    after text NOT NULL,
    PRIMARY KEY (before, step)
);
INSERT INTO hold_steps VALUES ('held', 'release', 'released'), ('held', 'lapse', 'lapsed'), ('held', 'confirm', 'confirmed'),
    ('confirmed', 'overturn', 'released');

-- Only what comes at this very moment can be kept back, only by rules that the charter lets act, and only if they weigh as
-- much as it says. For how long, the charter says, too.
CREATE FUNCTION hold_begins() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    terms jsonb := charter_terms(parvis_now());
    ground article_versions;
BEGIN
    SELECT * INTO ground FROM article_versions WHERE id = NEW.article_version_id;
    IF NOT coalesce(ground.number LIKE 'I.%' AND ground.in_force @> parvis_now() AND ground.parameters ? 'hold_time', false) THEN
        PERFORM refuse('no_ground_to_hold');
    ELSIF NOT EXISTS (SELECT FROM statuses s WHERE s.id = NEW.status_id AND s.account_id = NEW.account_id
                      AND s.received_at = parvis_now() AND s.reblog_of_id IS NULL) THEN
        PERFORM refuse('not_coming_in');
    END IF;
    NEW.rules := ARRAY(SELECT DISTINCT r FROM unnest(NEW.rules) r ORDER BY r);
    IF EXISTS (SELECT FROM unnest(NEW.rules) r WHERE (terms ->> (r || '_mode')) IS DISTINCT FROM '2') THEN
        PERFORM refuse('rule_does_not_act');
    END IF;
    NEW.score := (SELECT coalesce(sum((terms ->> (r || '_weight'))::int), 0) FROM unnest(NEW.rules) r);
    IF NEW.score < (terms ->> 'hold_score')::int AND NOT 'naming' = ANY (NEW.rules) THEN
        PERFORM refuse('score_too_low');
    END IF;
    NEW.state := 'held';
    NEW.began_at := parvis_now();
    NEW.ends_at := parvis_now() + (terms ->> 'hold_time')::interval;
    PERFORM ledger_append('hold', jsonb_build_object('hold', NEW.id, 'state', NEW.state, 'article', ground.number,
        'charter_version', ground.charter_version, 'rules', NEW.rules, 'ends_at', NEW.ends_at));
    RETURN NEW;
END $$;
CREATE TRIGGER hold_begins BEFORE INSERT ON holds FOR EACH ROW EXECUTE FUNCTION hold_begins();

CREATE FUNCTION hold_moves() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    changing text[] := ARRAY['state', 'ended_by', 'reasons', 'decision_id', 'appeal'];
BEGIN
    PERFORM law_now();
    IF to_jsonb(NEW) - changing IS DISTINCT FROM to_jsonb(OLD) - changing THEN
        PERFORM refuse('append_only');
    ELSIF NEW.state = OLD.state THEN
        IF OLD.state <> 'held' OR OLD.appeal IS NOT NULL OR NEW.appeal IS NULL
           OR num_nonnulls(NEW.ended_by, NEW.reasons, NEW.decision_id) > 0 THEN
            PERFORM refuse('not_now');
        END IF;
        NEW.appealed_at := parvis_now();
        RETURN NEW;
    ELSIF NEW.appeal IS DISTINCT FROM OLD.appeal
       OR NOT EXISTS (SELECT FROM hold_steps s WHERE s.before = OLD.state AND s.after = NEW.state) THEN
        PERFORM refuse('not_now');
    END IF;
    IF OLD.state = 'confirmed' THEN
        IF NOT overturned(OLD.decision_id) AND NOT EXISTS (
                SELECT FROM measures m WHERE m.decision_id = OLD.decision_id AND m.lifted_at IS NOT NULL) THEN
            PERFORM refuse('not_over');
        END IF;
        NEW.ended_by := OLD.ended_by;
        NEW.reasons := OLD.reasons;
        NEW.decision_id := OLD.decision_id;
    ELSIF NEW.state = 'lapsed' THEN
        IF OLD.ends_at > parvis_now() THEN
            PERFORM refuse('too_early');
        END IF;
    ELSIF NOT coalesce(is_moderator(NEW.ended_by), false) THEN
        PERFORM refuse('not_a_moderator');
    ELSIF NEW.ended_by = OLD.account_id THEN
        PERFORM refuse('own_case');
    ELSIF NEW.reasons IS NULL THEN
        PERFORM refuse('no_reasons');
    ELSIF NEW.state = 'confirmed' AND NOT EXISTS (
            SELECT FROM decisions d WHERE d.id = NEW.decision_id AND d.level = 4 AND OLD.status_id = ANY (d.status_ids)) THEN
        PERFORM refuse('no_decision');
    END IF;
    NEW.ended_at := parvis_now();
    PERFORM ledger_append('hold', jsonb_strip_nulls(jsonb_build_object('hold', NEW.id, 'state', NEW.state,
        'decision', NEW.decision_id, 'appealed', NEW.appeal IS NOT NULL)));
    RETURN NEW;
END $$;
CREATE TRIGGER hold_moves BEFORE UPDATE ON holds FOR EACH ROW EXECUTE FUNCTION hold_moves();

CREATE FUNCTION hold_takes_effect() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    since timestamptz := CASE WHEN NEW.state IN ('held', 'confirmed') THEN NEW.began_at END;
BEGIN
    UPDATE statuses s SET held_at = since, removed_at = least(since, (SELECT min(m.starts_at) FROM measures m
        WHERE m.level = 4 AND m.lifted_at IS NULL AND m.status_ids @> ARRAY[s.id]))
    WHERE s.id = NEW.status_id AND s.held_at IS DISTINCT FROM since;
    RETURN NULL;
END $$;
CREATE TRIGGER hold_takes_effect AFTER INSERT OR UPDATE ON holds FOR EACH ROW EXECUTE FUNCTION hold_takes_effect();

-- As before (0018), but a post that is kept back stays so when a measure on it begins or ends.
CREATE OR REPLACE FUNCTION measure_takes_effect() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.level IN (3, 6, 7) THEN
        UPDATE accounts a SET suspended_at = account_measured(a.id, true, a.domain, a.uri),
                              limited_at = account_measured(a.id, false, a.domain, a.uri)
        WHERE a.id = NEW.target_id;
    ELSIF NEW.level = 4 THEN
        UPDATE statuses s SET removed_at = least(s.held_at, (SELECT min(starts_at) FROM measures m
            WHERE m.level = 4 AND m.lifted_at IS NULL AND m.status_ids @> ARRAY[s.id]))
        WHERE s.id = ANY (NEW.status_ids);
    ELSIF NEW.level = 2 THEN
        UPDATE statuses s SET sensitive = s.id = ANY (NEW.marked_before) OR EXISTS (
            SELECT FROM measures m WHERE m.level = 2 AND m.lifted_at IS NULL AND m.status_ids @> ARRAY[s.id])
        WHERE s.id = ANY (NEW.status_ids);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_record(kind text, entry jsonb) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF kind IN ('charter', 'proposal', 'decision', 'confirmation', 'measure', 'appeal', 'appointment', 'domain', 'lifting',
                'protection', 'hold') THEN
        PERFORM refuse('kind_reserved');
    ELSIF coalesce(kind !~ '^[a-z]{1,20}$', true) THEN
        PERFORM refuse('kind_wrong');
    ELSIF coalesce(jsonb_typeof(entry) <> 'object', true) THEN
        PERFORM refuse('entry_wrong');
    END IF;
    RETURN ledger_append(kind, entry);
END $$;

-- Traces of posts that named people or led elsewhere, for some days: never the words, only what likens one text to another.
CREATE TABLE screening_prints (
    status_id bigint PRIMARY KEY REFERENCES statuses ON DELETE CASCADE,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    young boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT parvis_now(),
    bands bigint[] NOT NULL,
    signature integer[] NOT NULL,
    domains text[] NOT NULL
);
CREATE INDEX screening_prints_bands ON screening_prints USING gin (bands);
CREATE INDEX screening_prints_domains ON screening_prints USING gin (domains);
CREATE INDEX screening_prints_at ON screening_prints (at);
-- How often each rule saw something, and whether it acted: rows that are only added to, folded into sums later.
CREATE TABLE screening_marks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day date NOT NULL,
    rule text NOT NULL,
    acted boolean NOT NULL,
    local boolean NOT NULL
);
CREATE TABLE screening_counts (
    day date NOT NULL,
    rule text NOT NULL,
    acted boolean NOT NULL,
    local boolean NOT NULL,
    times bigint NOT NULL,
    PRIMARY KEY (day, rule, acted, local)
);
-- How many came to settle from a range of addresses in an hour; forgotten after two.
CREATE TABLE screening_arrivals (
    network cidr NOT NULL,
    hour timestamptz NOT NULL,
    arrivals integer NOT NULL,
    PRIMARY KEY (network, hour)
);

GRANT SELECT ON holds, hold_steps TO parvis_app;
GRANT INSERT (status_id, account_id, article_version_id, rules, quoting),
    UPDATE (state, ended_by, reasons, decision_id, appeal) ON holds TO parvis_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON screening_prints, screening_marks, screening_counts, screening_arrivals TO parvis_app;

-- Numbers of the procedure that came after the first charters were laid, as they would stand in one that is laid now. Where
-- a charter says nothing of one, a proposal may bring it into any article of Title I.
CREATE FUNCTION charter_later() RETURNS jsonb LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT '{"hold_score": 5, "hold_time": "3d", "young_time": "7d", "alike_time": "24h", "alike_percent": 80,
        "young_mode": 1, "young_weight": 2, "strangers_mode": 1, "strangers_weight": 2, "strangers_from": 2,
        "names_mode": 1, "names_weight": 2, "names_from": 6, "links_mode": 1, "links_weight": 3, "links_from": 3,
        "alike_mode": 1, "alike_weight": 3, "alike_from": 3, "burst_mode": 1, "burst_weight": 2, "burst_from": 20,
        "follows_mode": 2, "follows_young_from": 100, "follows_from": 400,
        "naming_mode": 2, "naming_young_from": 50, "naming_from": 300, "arrivals_mode": 2, "arrivals_from": 30}'::jsonb
$$;
-- As before (0006), and with those numbers; a mode is off, counted or acting.
CREATE OR REPLACE FUNCTION proposal_begins() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    terms jsonb := charter_terms(parvis_now());
    amended article_versions;
BEGIN
    IF terms = '{}' THEN
        PERFORM refuse('no_charter');
    END IF;
    IF NOT is_resident(NEW.author_id, parvis_now()) THEN
        PERFORM refuse('not_resident');
    END IF;
    IF coalesce(jsonb_typeof(NEW.parameters) <> 'object', true) THEN
        PERFORM refuse('parameters_wrong');
    END IF;
    SELECT * INTO amended FROM article_versions WHERE number = NEW.article AND in_force @> parvis_now();
    IF NEW.article IS NOT NULL AND amended.id IS NULL THEN
        PERFORM refuse('article_not_in_force');
    END IF;
    IF EXISTS (SELECT FROM jsonb_each(NEW.parameters) n
               CROSS JOIN LATERAL (SELECT coalesce(amended.parameters -> n.key, CASE
                   WHEN NEW.article LIKE 'I.%' AND NOT terms ? n.key THEN charter_later() -> n.key END) AS known) b
               WHERE NEW.article IS NULL OR b.known IS NULL
                  OR jsonb_typeof(n.value) <> jsonb_typeof(b.known)
                  OR n.value #>> '{}' !~ CASE jsonb_typeof(n.value) WHEN 'number' THEN '^[0-9]{1,6}$'
                                              ELSE '^[1-9][0-9]{0,5} ?(s|min|h|d|months?)$' END
                  OR (jsonb_typeof(n.value) = 'number' AND (n.value #>> '{}')::int > CASE
                      WHEN n.key = 'majority_mention' THEN 5 WHEN n.key LIKE '%\_percent' THEN 100
                      WHEN n.key LIKE '%\_mode' THEN 2 ELSE 999999 END)) THEN
        PERFORM refuse('parameters_wrong');
    END IF;
    NEW.state := 'support';
    NEW.created_at := parvis_now();
    NEW.due_at := parvis_now() + (terms ->> 'support_time')::interval;
    NEW.support_needed := charter_threshold(terms, 'support');
    PERFORM ledger_append('proposal', jsonb_build_object('proposal', NEW.id, 'state', NEW.state, 'title', NEW.title,
        'article', NEW.article, 'text_hash', encode(sha256(charter_question(NEW)), 'hex')));
    RETURN NEW;
END $$;

DO $$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT p.oid::regprocedure AS name FROM pg_proc p
               WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
                   AND p.proname IN ('hold_begins', 'hold_moves', 'hold_takes_effect', 'charter_later', 'proposal_begins',
                                     'measure_takes_effect', 'ledger_record') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own.name);
        EXECUTE format('ALTER FUNCTION %s SET TimeZone = ''UTC'' SET DateStyle = ''ISO, YMD''
            SET IntervalStyle = ''postgres'' SET standard_conforming_strings = on', own.name);
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION ledger_record TO parvis_app;

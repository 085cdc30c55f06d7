-- The rules: articles, their versions, and the proposals that change them (charter/). Nobody writes the first three tables
-- but the two functions at the end: no INSERT, UPDATE or DELETE is granted on them.

CREATE TABLE charter_versions (
    number integer PRIMARY KEY CHECK (number >= 0),
    hash bytea UNIQUE NOT NULL,                    -- of the hash before and of every article in force from then on
    previous bytea,
    adopted_at timestamptz NOT NULL,
    in_force_from timestamptz UNIQUE NOT NULL,
    proposal_id bigint UNIQUE,
    leaf_id bigint REFERENCES ledger_leaves,
    CHECK ((number = 0) = (previous IS NULL) AND (number = 0) = (proposal_id IS NULL))
);
CREATE TABLE articles (
    number text PRIMARY KEY CHECK (number ~ '^(I|II|III|IV|V)\.[1-9][0-9]{0,3}$'),
    title text NOT NULL GENERATED ALWAYS AS (split_part(number, '.', 1)) STORED,
    position integer NOT NULL GENERATED ALWAYS AS (split_part(number, '.', 2)::integer) STORED
);
CREATE TABLE article_versions (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    number text NOT NULL REFERENCES articles,
    charter_version integer NOT NULL REFERENCES charter_versions,
    heading text NOT NULL CHECK (heading <> ''),
    text text NOT NULL CHECK (text <> ''),
    text_en text,
    scope text NOT NULL CHECK (scope IN ('public_posts', 'posts', 'profiles', 'everything', 'procedure')),
    ceiling smallint NOT NULL CHECK (ceiling BETWEEN 0 AND 7),
    in_force tstzrange NOT NULL CHECK (NOT isempty(in_force) AND NOT lower_inf(in_force) AND lower_inc(in_force)
                                       AND NOT upper_inc(in_force)),
    provisional boolean NOT NULL,
    parameters jsonb NOT NULL DEFAULT '{}',
    dsa_category text,
    CONSTRAINT one_version_at_a_time EXCLUDE USING gist (number WITH =, in_force WITH &&)
);
CREATE TABLE proposal_steps (
    before text NOT NULL,
    step text NOT NULL,
    after text NOT NULL,
    PRIMARY KEY (before, step)
);
INSERT INTO proposal_steps VALUES
    ('support', 'open_vote', 'vote'), ('support', 'expire', 'lapsed'),
    ('vote', 'adopt', 'contest'), ('vote', 'reject', 'rejected'), ('contest', 'promulgate', 'promulgated');
CREATE TABLE proposals (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    author_id bigint NOT NULL REFERENCES accounts,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
    scope text NOT NULL CHECK (scope IN ('public_posts', 'posts', 'profiles', 'everything', 'procedure')),
    ceiling smallint NOT NULL CHECK (ceiling BETWEEN 0 AND 7),
    article text REFERENCES articles,              -- null: a new article of Title II
    parameters jsonb NOT NULL DEFAULT '{}',        -- of an article of Title I: what it changes
    state text NOT NULL,
    created_at timestamptz NOT NULL,
    due_at timestamptz,
    support_needed integer NOT NULL,
    terms jsonb,                                   -- the rules of this vote, frozen when it opened
    quorum integer,
    question_hash bytea,
    box_id bigint UNIQUE REFERENCES ballot_boxes,
    opened_leaf bigint REFERENCES ledger_leaves,   -- the entries by which everybody knew of the vote, and of its result
    result_leaf bigint REFERENCES ledger_leaves
);
CREATE INDEX proposals_due ON proposals (due_at) WHERE due_at IS NOT NULL;
ALTER TABLE charter_versions ADD FOREIGN KEY (proposal_id) REFERENCES proposals;
CREATE TABLE proposal_supports (
    proposal_id bigint NOT NULL REFERENCES proposals,
    account_id bigint NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT parvis_now(),
    PRIMARY KEY (proposal_id, account_id)
);

-- Every number and duration of Title I as it stands at a moment.
CREATE FUNCTION charter_terms(at timestamptz) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(p.key, p.value), '{}')
    FROM article_versions v CROSS JOIN LATERAL jsonb_each(v.parameters) p
    WHERE v.number LIKE 'I.%' AND v.in_force @> at
$$;
-- The larger of a fixed number and a share of the residents, rounded up.
CREATE FUNCTION charter_threshold(terms jsonb, name text) RETURNS integer LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT greatest((terms ->> (name || '_least'))::int,
                    ceil((terms ->> (name || '_percent'))::numeric * residents() / 100)::int)
$$;
-- What is asked, word for word. Its hash is recorded before the vote opens and repeated on every ballot.
CREATE FUNCTION charter_question(p proposals) RETURNS bytea LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT convert_to(jsonb_build_object('proposal', p.id, 'title', p.title, 'text', p.text, 'scope', p.scope,
        'ceiling', p.ceiling, 'article', p.article, 'parameters', p.parameters,
        'options', jsonb_build_array('text', 'status_quo'))::text, 'UTF8')
$$;

-- A vote that was on the public record for less than nine tenths of its time adopts nothing.
CREATE FUNCTION charter_vote_public(p proposals) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce((SELECT ledger_public_since(p.opened_leaf) <= b.opens_at + (b.closes_at - b.opens_at) / 10
                     FROM ballot_boxes b WHERE b.id = p.box_id), false)
$$;
-- When the time to contest a result is over: it begins when the result is on the public record. Null: not yet known.
CREATE FUNCTION charter_contest_until(p proposals) RETURNS timestamptz LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT greatest(p.due_at, since + (p.terms ->> 'contest_time')::interval)
    FROM ledger_public_since(p.result_leaf) since WHERE since IS NOT NULL
$$;

-- What the ballots say, counted anew each time it is asked.
CREATE FUNCTION charter_outcome(proposal bigint)
RETURNS TABLE (voters bigint, enough boolean, winner text, adopted boolean) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    p proposals;
    best record;
BEGIN
    SELECT * INTO p FROM proposals WHERE id = proposal;
    SELECT t.* INTO best FROM ballot_tally(p.box_id) t WHERE t.place = 1;
    voters := (SELECT sum(n) FROM unnest(best.profile) n);
    enough := voters >= p.quorum;
    winner := best.option;
    adopted := charter_vote_public(p) AND enough AND winner = 'text' AND best.median >= (p.terms ->> 'majority_mention')::int
        AND (p.article IS NULL OR p.article NOT LIKE 'I.%'
             OR 100 * (SELECT sum(n) FROM unnest(best.profile[(p.terms ->> 'majority_mention')::int + 1:6]) n)
                >= (p.terms ->> 'constitution_percent')::int * voters);
    RETURN NEXT;
END $$;

CREATE FUNCTION proposal_begins() RETURNS trigger LANGUAGE plpgsql
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
               WHERE NEW.article IS NULL OR NOT amended.parameters ? n.key
                  OR jsonb_typeof(n.value) <> jsonb_typeof(amended.parameters -> n.key)
                  OR n.value #>> '{}' !~ CASE jsonb_typeof(n.value) WHEN 'number' THEN '^[0-9]{1,6}$'
                                              ELSE '^[1-9][0-9]{0,5} ?(s|min|h|d|months?)$' END
                  OR (jsonb_typeof(n.value) = 'number' AND (n.value #>> '{}')::int > CASE
                      WHEN n.key = 'majority_mention' THEN 5 WHEN n.key LIKE '%_percent' THEN 100 ELSE 999999 END)) THEN
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
CREATE TRIGGER proposal_begins BEFORE INSERT ON proposals FOR EACH ROW EXECUTE FUNCTION proposal_begins();

CREATE FUNCTION proposal_vote_opens(p proposals) RETURNS proposals LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    box ballot_boxes;
BEGIN
    IF (SELECT count(*) FROM proposal_supports s
        WHERE s.proposal_id = p.id AND is_resident(s.account_id, parvis_now())) < p.support_needed THEN
        PERFORM refuse('support_missing');
    END IF;
    p.terms := charter_terms(parvis_now());
    p.quorum := charter_threshold(p.terms, 'quorum');
    p.question_hash := sha256(charter_question(p));
    SELECT * INTO box FROM ballot_boxes WHERE id = p.box_id;
    IF box.id IS NULL OR box.question_hash <> p.question_hash OR box.options <> ARRAY['text', 'status_quo']
       OR box.opens_at <> parvis_now() OR box.closes_at <> box.opens_at + (p.terms ->> 'vote_time')::interval THEN
        PERFORM refuse('box_wrong');
    END IF;
    p.due_at := box.closes_at;
    p.opened_leaf := ledger_append('proposal', jsonb_build_object('proposal', p.id, 'state', p.state,
        'question_hash', encode(p.question_hash, 'hex'), 'due_at', p.due_at, 'quorum', p.quorum, 'terms', p.terms,
        'roll', (SELECT count(*) FROM ballot_rolls r WHERE r.box_id = box.id),
        'districts', (SELECT coalesce(jsonb_object_agg(d.district, d.n), '{}')
            FROM (SELECT district, count(*) AS n FROM ballot_rolls r WHERE r.box_id = box.id GROUP BY district) d)));
    RETURN p;
END $$;
REVOKE EXECUTE ON FUNCTION proposal_vote_opens FROM PUBLIC;

CREATE FUNCTION proposal_moves() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    outcome record;
    entry jsonb := jsonb_build_object('proposal', NEW.id, 'state', NEW.state);
BEGIN
    PERFORM law_now();
    IF to_jsonb(NEW) - 'state' - 'box_id' IS DISTINCT FROM to_jsonb(OLD) - 'state' - 'box_id'
       OR (NEW.box_id IS DISTINCT FROM OLD.box_id AND NEW.state <> 'vote') THEN
        PERFORM refuse('text_frozen');
    END IF;
    IF NOT EXISTS (SELECT FROM proposal_steps s WHERE s.before = OLD.state AND s.after = NEW.state) THEN
        PERFORM refuse('not_now');
    END IF;
    IF NEW.state = 'vote' THEN
        RETURN proposal_vote_opens(NEW);
    ELSIF parvis_now() < OLD.due_at THEN
        PERFORM refuse('too_early');
    ELSIF NEW.state IN ('contest', 'rejected') THEN
        SELECT * INTO outcome FROM charter_outcome(OLD.id);
        IF outcome.adopted IS DISTINCT FROM (NEW.state = 'contest') THEN
            PERFORM refuse(CASE WHEN outcome.adopted THEN 'was_adopted' WHEN NOT charter_vote_public(OLD) THEN 'vote_not_public'
                                WHEN outcome.enough THEN 'no_majority' ELSE 'no_quorum' END);
        END IF;
        NEW.due_at := CASE NEW.state WHEN 'contest' THEN law_now() + (OLD.terms ->> 'contest_time')::interval END;
        entry := entry || jsonb_build_object('voters', outcome.voters, 'due_at', NEW.due_at, 'quorum', NEW.quorum,
            'question_hash', encode(NEW.question_hash, 'hex'),
            'replaced', (SELECT coalesce(sum(casts - 1), 0) FROM ballots WHERE box_id = NEW.box_id),
            'public_in_time', charter_vote_public(OLD));
    ELSE
        IF NEW.state = 'promulgated' AND NOT EXISTS (SELECT FROM charter_versions WHERE proposal_id = NEW.id) THEN
            PERFORM refuse('not_promulgated');
        END IF;
        NEW.due_at := NULL;
    END IF;
    NEW.result_leaf := coalesce(OLD.result_leaf, ledger_append('proposal', jsonb_strip_nulls(entry)));
    IF OLD.result_leaf IS NOT NULL THEN
        PERFORM ledger_append('proposal', jsonb_strip_nulls(entry));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER proposal_moves BEFORE UPDATE ON proposals FOR EACH ROW EXECUTE FUNCTION proposal_moves();
CREATE TRIGGER proposal_kept BEFORE DELETE ON proposals FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION support_may_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM proposals p WHERE p.id = coalesce(NEW.proposal_id, OLD.proposal_id)
                   AND p.state = 'support' AND law_now() < p.due_at) THEN
        PERFORM refuse('not_now');
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NOT is_resident(NEW.account_id, parvis_now()) THEN
        PERFORM refuse('not_resident');
    END IF;
    NEW.created_at := parvis_now();
    RETURN NEW;
END $$;
CREATE TRIGGER support_may_change BEFORE INSERT OR DELETE ON proposal_supports
    FOR EACH ROW EXECUTE FUNCTION support_may_change();

-- The fingerprint of a charter: the one before, and every article in force when this one begins.
CREATE FUNCTION charter_hash(version integer) RETURNS bytea LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT sha256(coalesce(c.previous, ''::bytea) || convert_to((
        SELECT jsonb_agg(jsonb_build_object('number', v.number, 'heading', v.heading, 'text', v.text, 'text_en', v.text_en,
            'scope', v.scope, 'ceiling', v.ceiling, 'provisional', v.provisional, 'parameters', v.parameters,
            'dsa_category', v.dsa_category) ORDER BY v.number COLLATE "C")
        FROM article_versions v WHERE v.in_force @> c.in_force_from)::text, 'UTF8'))
    FROM charter_versions c WHERE c.number = version
$$;

-- The first charter. The owner may lay it once, and never again.
CREATE FUNCTION charter_found(document jsonb) RETURNS bytea LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    missing text;
    fingerprint bytea;
BEGIN
    LOCK TABLE charter_versions IN EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM charter_versions) THEN
        PERFORM refuse('charter_exists');
    END IF;
    INSERT INTO charter_versions (number, hash, adopted_at, in_force_from) VALUES (0, '', parvis_now(), parvis_now());
    INSERT INTO articles (number) SELECT a ->> 'number' FROM jsonb_array_elements(document -> 'articles') a;
    INSERT INTO article_versions (number, charter_version, heading, text, text_en, scope, ceiling, in_force, provisional,
        parameters, dsa_category)
    SELECT a ->> 'number', 0, a ->> 'heading', a ->> 'text', a ->> 'text_en', a ->> 'scope', (a ->> 'ceiling')::smallint,
        tstzrange(parvis_now(), NULL), coalesce((a ->> 'provisional')::boolean, false),
        coalesce(a -> 'parameters', '{}'), a ->> 'dsa_category'
    FROM jsonb_array_elements(document -> 'articles') a;
    SELECT name INTO missing FROM unnest(ARRAY['support_least', 'support_percent', 'support_time', 'vote_time',
        'quorum_least', 'quorum_percent', 'majority_mention', 'constitution_percent', 'contest_time', 'in_force_delay',
        'provisional_time', 'limited_longest', 'frozen_longest', 'suspended_longest', 'appeal_time']) name
    WHERE NOT charter_terms(parvis_now()) ? name LIMIT 1;
    IF missing IS NOT NULL THEN
        PERFORM refuse('parameter_missing');
    END IF;
    UPDATE article_versions SET in_force = tstzrange(parvis_now(),
        parvis_now() + (charter_terms(parvis_now()) ->> 'provisional_time')::interval) WHERE provisional;
    fingerprint := charter_hash(0);
    UPDATE charter_versions SET hash = fingerprint, leaf_id = ledger_append('charter', jsonb_build_object('version', 0,
        'hash', encode(fingerprint, 'hex'), 'in_force_from', parvis_now())) WHERE number = 0;
    RETURN fingerprint;
END $$;
REVOKE EXECUTE ON FUNCTION charter_found FROM PUBLIC;

-- The only way a rule changes: an adopted proposal, counted again here, after its contest period. Nobody signs it off.
CREATE FUNCTION charter_promulgate(proposal bigint) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    p proposals;
    last_version charter_versions;
    before article_versions;
    outcome record;
    start timestamptz;
    article_number text;
    fingerprint bytea;
BEGIN
    PERFORM law_now();
    SELECT * INTO p FROM proposals WHERE id = proposal FOR UPDATE;
    IF p.id IS NULL OR p.state <> 'contest' THEN
        PERFORM refuse('not_now');
    END IF;
    IF parvis_now() < p.due_at THEN
        PERFORM refuse('too_early');
    END IF;
    IF NOT coalesce(parvis_now() >= charter_contest_until(p), false) THEN
        PERFORM refuse('contest_not_public');
    END IF;
    IF p.question_hash IS DISTINCT FROM sha256(charter_question(p))
       OR NOT EXISTS (SELECT FROM ballot_boxes b WHERE b.id = p.box_id AND b.question_hash = p.question_hash) THEN
        PERFORM refuse('text_frozen');
    END IF;
    SELECT * INTO outcome FROM charter_outcome(p.id);
    IF NOT outcome.enough THEN
        PERFORM refuse('no_quorum');
    ELSIF NOT outcome.adopted THEN
        PERFORM refuse('no_majority');
    END IF;
    LOCK TABLE charter_versions IN EXCLUSIVE MODE;
    SELECT * INTO last_version FROM charter_versions ORDER BY number DESC LIMIT 1;
    start := greatest(law_now() + (p.terms ->> 'in_force_delay')::interval,
                      last_version.in_force_from + interval '1 microsecond');
    article_number := coalesce(p.article, 'II.' || (SELECT coalesce(max(position), 0) + 1 FROM articles WHERE title = 'II'));
    SELECT * INTO before FROM article_versions WHERE number = article_number ORDER BY lower(in_force) DESC LIMIT 1;
    INSERT INTO articles (number) VALUES (article_number) ON CONFLICT DO NOTHING;
    UPDATE article_versions SET in_force = in_force * tstzrange(NULL, start)
        WHERE number = article_number AND in_force && tstzrange(start, NULL);
    INSERT INTO charter_versions VALUES (last_version.number + 1, '', last_version.hash, parvis_now(), start, p.id);
    INSERT INTO article_versions (number, charter_version, heading, text, scope, ceiling, in_force, provisional, parameters,
        dsa_category)
    VALUES (article_number, last_version.number + 1, p.title, p.text, p.scope, p.ceiling, tstzrange(start, NULL), false,
        coalesce(before.parameters, '{}') || p.parameters,
        coalesce(before.dsa_category, 'STATEMENT_CATEGORY_OTHER_VIOLATION_TC'));
    fingerprint := charter_hash(last_version.number + 1);
    UPDATE charter_versions SET hash = fingerprint, leaf_id = ledger_append('charter', jsonb_build_object(
        'version', last_version.number + 1, 'proposal', p.id, 'hash', encode(fingerprint, 'hex'),
        'previous', encode(last_version.hash, 'hex'), 'article', article_number, 'in_force_from', start))
        WHERE number = last_version.number + 1;
    UPDATE proposals SET state = 'promulgated' WHERE id = p.id;
    RETURN last_version.number + 1;
END $$;
REVOKE EXECUTE ON FUNCTION charter_promulgate FROM PUBLIC;

GRANT SELECT ON charter_versions, articles, article_versions, proposals, proposal_steps, proposal_supports TO parvis_app;
GRANT INSERT (author_id, title, text, scope, ceiling, article, parameters), UPDATE (state, box_id) ON proposals TO parvis_app;
GRANT INSERT (proposal_id, account_id), DELETE ON proposal_supports TO parvis_app;


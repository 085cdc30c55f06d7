-- The rule cycle, its machines: who lives here (residency/), the public record (ledger/), ballots (ballots/).
-- The rules themselves and what follows a breach of them are in the next two files.
--
-- What must not be got round is refused here, so that it is refused to raw SQL as well. A refusal is PV001 and a word.
-- Functions that guard are SECURITY DEFINER with a fixed search_path: no temporary table can stand in for a real one. The
-- last file closes every function to everyone, opens a list of them, and makes guards deaf to a session's settings.
--
-- A transaction can be kept open: its parvis_now() stays that of its beginning, and what it wrote appears when it ends.
-- Therefore what must not come late asks law_now(), and what must not be hidden asks when its entry in the ledger was
-- numbered: another transaction does that, one that could see it.

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
DO $$ BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;
-- What a row's default calls names its tables in full, for the same reason.
CREATE OR REPLACE FUNCTION parvis_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT now() + coalesce((SELECT ahead FROM public.clock_offset), interval '0')
$$;
CREATE OR REPLACE FUNCTION parvis_id() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (floor(extract(epoch FROM clock_timestamp()
                + coalesce((SELECT ahead FROM public.clock_offset), interval '0')) * 1000)::bigint << 16)
           | (nextval('public.id_sequence'::regclass) & 65535)
$$;
-- The date of an act is read by the triggers of moderation: it too is deaf to temporary tables.
ALTER FUNCTION status_dates() SET search_path = pg_catalog, public, pg_temp;

CREATE FUNCTION refuse(word text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PV001', MESSAGE = word;
END $$;

-- This very moment, however long the transaction has lasted; a guard must also see what others have committed since.
CREATE FUNCTION law_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM refuse('isolation_wrong');
    END IF;
    RETURN clock_timestamp() + coalesce((SELECT ahead FROM clock_offset), interval '0');
END $$;

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.refuse('append_only');
    RETURN NULL;
END $$;

-- residency: stored apart. It knows that someone lives here until a date, never how that was proved.

CREATE SCHEMA residency;
CREATE TABLE residency.attestations (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    district text NOT NULL CHECK (district <> ''),
    provider text NOT NULL CHECK (provider <> ''),
    attested_at timestamptz NOT NULL DEFAULT parvis_now(),
    valid_until timestamptz NOT NULL,
    CHECK (valid_until > attested_at),
    UNIQUE (account_id, provider)
);
CREATE FUNCTION attestation_dates() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.valid_until > parvis_now() THEN
        NEW.attested_at := OLD.attested_at;      -- renewed in time: on the roll without a break
    ELSE
        NEW.attested_at := parvis_now();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attestation_dates BEFORE INSERT OR UPDATE ON residency.attestations
    FOR EACH ROW EXECUTE FUNCTION attestation_dates();

-- On the roll since `since` and still living here. A suspended resident keeps the vote: a measure is about speech.
CREATE FUNCTION is_resident(account bigint, since timestamptz) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM residency.attestations t JOIN accounts a ON a.id = t.account_id
        WHERE t.account_id = account AND t.attested_at <= since AND t.valid_until > parvis_now()
          AND a.domain IS NULL AND a.deleted_at IS NULL)
$$;
CREATE FUNCTION residents() RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(DISTINCT t.account_id) FROM residency.attestations t JOIN accounts a ON a.id = t.account_id
    WHERE t.valid_until > parvis_now() AND a.domain IS NULL AND a.deleted_at IS NULL
$$;

-- ledger: an RFC 6962 tree. A leaf is the salted commitment of a public entry, so that the tree holds no word of anyone.

CREATE TABLE ledger_leaves (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    kind text NOT NULL,
    data bytea NOT NULL,                           -- the public entry: exactly these bytes, a JSON object
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    leaf_hash bytea NOT NULL GENERATED ALWAYS AS (sha256('\x00'::bytea || sha256(salt || data))) STORED,
    decided_at timestamptz NOT NULL,
    written_in xid8 NOT NULL,                      -- the transaction that wrote it: another one numbers it
    numbered_at timestamptz,                       -- by then at the latest everybody could see it
    index bigint UNIQUE
);
CREATE INDEX ledger_leaves_waiting ON ledger_leaves (id) WHERE index IS NULL;
CREATE TABLE ledger_nodes (
    level smallint NOT NULL,
    index bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (level, index)
);
CREATE TABLE ledger_checkpoints (
    size bigint PRIMARY KEY CHECK (size > 0),
    root bytea NOT NULL,
    note text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT parvis_now()
);

CREATE FUNCTION ledger_append(kind text, entry jsonb) RETURNS bigint LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO ledger_leaves (kind, data, salt, decided_at, written_in)
    SELECT $1,
        convert_to((entry || jsonb_build_object('kind', $1, 'at',
            to_char(parvis_now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))::text, 'UTF8'),
        uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), parvis_now(), pg_current_xact_id()
    RETURNING id
$$;
REVOKE EXECUTE ON FUNCTION ledger_append FROM PUBLIC;

-- What the application may put on record by itself; the acts of charter and moderation record themselves.
CREATE FUNCTION ledger_record(kind text, entry jsonb) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF kind IN ('charter', 'proposal', 'decision', 'confirmation', 'measure', 'appeal', 'appointment') THEN
        PERFORM refuse('kind_reserved');
    ELSIF coalesce(kind !~ '^[a-z]{1,20}$', true) THEN
        PERFORM refuse('kind_wrong');
    ELSIF coalesce(jsonb_typeof(entry) <> 'object', true) THEN
        PERFORM refuse('entry_wrong');
    END IF;
    RETURN ledger_append(kind, entry);
END $$;

CREATE FUNCTION ledger_leaf_stays() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.index IS NOT NULL OR NEW.index IS NULL
       OR (NEW.id, NEW.kind, NEW.data, NEW.salt, NEW.decided_at, NEW.written_in)
          IS DISTINCT FROM (OLD.id, OLD.kind, OLD.data, OLD.salt, OLD.decided_at, OLD.written_in) THEN
        PERFORM refuse('append_only');
    END IF;
    IF OLD.written_in = pg_current_xact_id() THEN
        PERFORM refuse('not_yet_public');
    END IF;
    IF NEW.index <> (SELECT coalesce(max(index), -1) + 1 FROM ledger_leaves) THEN
        PERFORM refuse('not_the_next_index');
    END IF;
    NEW.numbered_at := law_now();
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_leaf_stays BEFORE UPDATE ON ledger_leaves FOR EACH ROW EXECUTE FUNCTION ledger_leaf_stays();
CREATE TRIGGER ledger_leaf_kept BEFORE DELETE ON ledger_leaves FOR EACH ROW EXECUTE FUNCTION append_only();

-- Gives the waiting leaves the next numbers, in the order of their ids: the only way to number them.
CREATE FUNCTION ledger_sequence(most integer) RETURNS TABLE (leaf_index bigint, hash bytea) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    waiting record;
    next_index bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger', 0));
    next_index := (SELECT coalesce(max(l.index), -1) + 1 FROM ledger_leaves l);
    FOR waiting IN SELECT l.id, l.leaf_hash FROM ledger_leaves l WHERE l.index IS NULL ORDER BY l.id LIMIT most LOOP
        UPDATE ledger_leaves l SET index = next_index WHERE l.id = waiting.id;
        leaf_index := next_index;
        hash := waiting.leaf_hash;
        next_index := next_index + 1;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE FUNCTION ledger_node_fits() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.hash IS DISTINCT FROM (CASE WHEN NEW.level = 0
        THEN (SELECT leaf_hash FROM ledger_leaves WHERE index = NEW.index)
        ELSE sha256('\x01'::bytea || (SELECT hash FROM ledger_nodes WHERE level = NEW.level - 1 AND index = 2 * NEW.index)
                                  || (SELECT hash FROM ledger_nodes WHERE level = NEW.level - 1 AND index = 2 * NEW.index + 1))
        END) THEN
        PERFORM refuse('node_wrong');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_node_fits BEFORE INSERT ON ledger_nodes FOR EACH ROW EXECUTE FUNCTION ledger_node_fits();
CREATE TRIGGER ledger_node_kept BEFORE UPDATE OR DELETE ON ledger_nodes FOR EACH ROW EXECUTE FUNCTION append_only();

-- The head of the first `size` leaves: its complete subtrees joined from right to left.
CREATE FUNCTION ledger_root(size bigint) RETURNS bytea LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    head bytea;
    part bytea;
    first boolean := true;
BEGIN
    FOR height IN 0..62 LOOP
        IF size >> height & 1 = 1 THEN
            SELECT n.hash INTO part FROM ledger_nodes n WHERE n.level = height AND n.index = (size >> height) - 1;
            IF NOT FOUND THEN
                RETURN NULL;
            END IF;
            head := CASE WHEN first THEN part ELSE sha256('\x01'::bytea || part || head) END;
            first := false;
        END IF;
    END LOOP;
    RETURN head;
END $$;
CREATE FUNCTION ledger_signed() RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(max(size), 0) FROM ledger_checkpoints
$$;
-- The head must be that of the leaves, and the note must say it and bear a signature of its city. Whether that signature
-- is good is not for SQL to tell: `parvis ledger verify` and every witness do.
CREATE FUNCTION ledger_checkpoint_fits() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    said text[] := string_to_array(NEW.note, chr(10));
BEGIN
    IF NEW.size <= ledger_signed() THEN
        PERFORM refuse('checkpoint_not_growing');
    END IF;
    IF NEW.root IS DISTINCT FROM ledger_root(NEW.size) THEN
        PERFORM refuse('root_wrong');
    END IF;
    IF (said[2], said[3], said[4]) IS DISTINCT FROM (NEW.size::text, encode(NEW.root, 'base64'), '')
       OR NOT coalesce(starts_with(said[5], '— ' || said[1] || ' '), false) OR said[5] !~ ' [A-Za-z0-9+/]{91}=$' THEN
        PERFORM refuse('note_wrong');
    END IF;
    NEW.signed_at := parvis_now();
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_checkpoint_fits BEFORE INSERT ON ledger_checkpoints
    FOR EACH ROW EXECUTE FUNCTION ledger_checkpoint_fits();
CREATE TRIGGER ledger_checkpoint_kept BEFORE UPDATE OR DELETE ON ledger_checkpoints
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- Has this leaf a receipt: a number below the size of the last signed checkpoint?
CREATE FUNCTION ledger_receipt(leaf bigint) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce((SELECT index < ledger_signed() FROM ledger_leaves WHERE id = leaf), false)
$$;

-- Since when, at the latest, everybody could see this leaf; null: not yet.
CREATE FUNCTION ledger_public_since(leaf bigint) RETURNS timestamptz LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT numbered_at FROM ledger_leaves WHERE id = leaf AND index < ledger_signed()
$$;

-- ballots: boxes that do not know what they decide about.

CREATE TABLE ballot_boxes (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    question_hash bytea NOT NULL CHECK (octet_length(question_hash) = 32),
    options text[] NOT NULL CHECK ('status_quo' = ANY (options) AND cardinality(options) >= 2),
    opens_at timestamptz NOT NULL,
    closes_at timestamptz NOT NULL,
    CHECK (closes_at > opens_at)
);
-- Who may vote: all who live here when the box is made. Nobody is added afterwards, and nobody struck off.
CREATE TABLE ballot_rolls (
    box_id bigint NOT NULL REFERENCES ballot_boxes,
    voter bigint NOT NULL REFERENCES accounts,
    district text NOT NULL,
    PRIMARY KEY (box_id, voter)
);
CREATE TABLE ballots (
    box_id bigint NOT NULL REFERENCES ballot_boxes,
    voter bigint NOT NULL REFERENCES accounts,
    question_hash bytea NOT NULL,
    grades jsonb NOT NULL,                         -- {option: 0 (à rejeter) .. 5 (très bien)}; an option left out is rejected
    cast_at timestamptz NOT NULL,
    casts integer NOT NULL,                        -- a ballot cast anew replaces the one before, and is counted as such
    PRIMARY KEY (box_id, voter)
);
CREATE FUNCTION ballot_box_opens() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.opens_at < parvis_now() THEN
        PERFORM refuse('opens_in_the_past');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ballot_box_opens BEFORE INSERT ON ballot_boxes FOR EACH ROW EXECUTE FUNCTION ballot_box_opens();
CREATE FUNCTION ballot_roll_closes() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO ballot_rolls
    SELECT DISTINCT ON (t.account_id) NEW.id, t.account_id, t.district
    FROM residency.attestations t WHERE is_resident(t.account_id, law_now()) AND t.valid_until > parvis_now()
    ORDER BY t.account_id, t.valid_until DESC;
    RETURN NULL;
END $$;
CREATE TRIGGER ballot_roll_closes AFTER INSERT ON ballot_boxes FOR EACH ROW EXECUTE FUNCTION ballot_roll_closes();
CREATE TRIGGER ballot_roll_kept BEFORE UPDATE OR DELETE ON ballot_rolls FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER ballot_box_kept BEFORE UPDATE OR DELETE ON ballot_boxes FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION ballot_may_be_cast() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    box ballot_boxes;
BEGIN
    -- The count waits until every ballot on its way is in or withdrawn: nobody takes one back who knows the result.
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('box:' || NEW.box_id, 0));
    SELECT * INTO box FROM ballot_boxes WHERE id = NEW.box_id;
    IF TG_OP = 'UPDATE' AND (NEW.box_id, NEW.voter) IS DISTINCT FROM (OLD.box_id, OLD.voter) THEN
        PERFORM refuse('append_only');
    END IF;
    IF box.id IS NULL OR parvis_now() < box.opens_at OR law_now() >= box.closes_at THEN
        PERFORM refuse('box_closed');
    END IF;
    IF NOT EXISTS (SELECT FROM ballot_rolls r WHERE r.box_id = box.id AND r.voter = NEW.voter) THEN
        PERFORM refuse('not_on_the_roll');
    END IF;
    IF NEW.question_hash IS DISTINCT FROM box.question_hash THEN
        PERFORM refuse('other_question');
    END IF;
    IF coalesce(jsonb_typeof(NEW.grades) <> 'object', true) OR EXISTS (
        SELECT FROM jsonb_each(NEW.grades) g
        WHERE NOT g.key = ANY (box.options) OR jsonb_typeof(g.value) <> 'number' OR g.value::text !~ '^[0-5]$') THEN
        PERFORM refuse('grades_wrong');
    END IF;
    NEW.cast_at := parvis_now();
    NEW.casts := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE OLD.casts + 1 END;
    RETURN NEW;
END $$;
CREATE TRIGGER ballot_may_be_cast BEFORE INSERT OR UPDATE ON ballots FOR EACH ROW EXECUTE FUNCTION ballot_may_be_cast();
CREATE TRIGGER ballot_kept BEFORE DELETE ON ballots FOR EACH ROW EXECUTE FUNCTION append_only();

-- Majority judgment as in ballots/majority.py, to the letter: a property test compares the two.
CREATE FUNCTION majority_median(profile bigint[]) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    voters bigint := (SELECT coalesce(sum(n), 0) FROM unnest(profile) n);
    so_far bigint := 0;
BEGIN
    FOR mention IN 0..5 LOOP
        so_far := so_far + profile[mention + 1];
        IF 2 * so_far >= voters THEN
            RETURN mention;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE FUNCTION majority_merit(profile bigint[]) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    low integer := majority_median(profile);
    high integer := low;
    below bigint := (SELECT coalesce(sum(n), 0) FROM unnest(profile[1:low]) n);
    above bigint := (SELECT coalesce(sum(n), 0) FROM unnest(profile[high + 2:6]) n);
    merit bigint[] := ARRAY[low];
BEGIN
    WHILE below > 0 OR above > 0 LOOP
        IF above > below THEN
            merit := merit || above;
            high := high + 1;
            above := above - profile[high + 1];
        ELSE
            merit := merit || -below;
            low := low - 1;
            below := below - profile[low + 1];
        END IF;
    END LOOP;
    RETURN merit || 0::bigint;
END $$;

-- The count, to nobody before the box has closed. The application cannot read the grades of a ballot at all.
CREATE FUNCTION ballot_tally(box bigint) RETURNS TABLE (option text, profile bigint[], median integer, place bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- By the clock of the transaction's beginning: no ballot of its own is still open to regret.
    IF law_now() IS NULL OR NOT EXISTS (SELECT FROM ballot_boxes b WHERE b.id = box AND b.closes_at <= parvis_now()) THEN
        PERFORM refuse('box_open');
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('box:' || box, 0));
    RETURN QUERY
        WITH counted AS (
            SELECT o.option, o.position,
                ARRAY[count(*) FILTER (WHERE g.given = 0), count(*) FILTER (WHERE g.given = 1),
                      count(*) FILTER (WHERE g.given = 2), count(*) FILTER (WHERE g.given = 3),
                      count(*) FILTER (WHERE g.given = 4), count(*) FILTER (WHERE g.given = 5)] AS profile
            FROM ballot_boxes b
            CROSS JOIN LATERAL unnest(b.options) WITH ORDINALITY o(option, position)
            LEFT JOIN LATERAL (SELECT coalesce((v.grades ->> o.option)::int, 0) AS given
                               FROM ballots v WHERE v.box_id = b.id) g ON true
            WHERE b.id = box
            GROUP BY o.option, o.position)
        SELECT c.option, c.profile, majority_median(c.profile), row_number() OVER (
            ORDER BY majority_merit(c.profile) DESC, (c.option = 'status_quo') DESC, c.position)
        FROM counted c ORDER BY 4;
END $$;

GRANT USAGE ON SCHEMA residency TO parvis_app;
GRANT SELECT ON residency.attestations TO parvis_app;
GRANT INSERT (account_id, district, provider, valid_until), UPDATE (district, valid_until)
    ON residency.attestations TO parvis_app;
GRANT SELECT ON ledger_leaves, ledger_nodes, ledger_checkpoints, ballot_boxes TO parvis_app;
GRANT INSERT ON ledger_nodes TO parvis_app;
GRANT INSERT (size, root, note) ON ledger_checkpoints TO parvis_app;
GRANT INSERT (question_hash, options, opens_at, closes_at) ON ballot_boxes TO parvis_app;
GRANT SELECT (box_id, voter, question_hash, cast_at, casts) ON ballots TO parvis_app;
GRANT INSERT (box_id, voter, question_hash, grades), UPDATE (question_hash, grades) ON ballots TO parvis_app;

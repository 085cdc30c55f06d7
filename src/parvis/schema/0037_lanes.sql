-- Whoever keeps or deletes what has an id of another server holds it first; and learns whether it was deleted before
-- it came. A function, for a statement alone would look before it holds.
CREATE FUNCTION hold_post(wanted text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('status ' || wanted, 0));
    RETURN EXISTS (SELECT FROM tombstones WHERE uri = wanted);
END $$;

-- A lane is left: forgotten when nothing waits in it, else given back. Whoever is adding to it has finished by then,
-- and whoever comes now waits. What was brought to a host has shown that it is in good health.
CREATE FUNCTION leave_inbox(lane text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM FROM inbox_hosts WHERE host = lane FOR UPDATE;
    DELETE FROM inbox_hosts WHERE host = lane AND NOT EXISTS (SELECT FROM inbox_items WHERE host = lane);
    IF NOT FOUND THEN
        UPDATE inbox_hosts SET lease_until = NULL WHERE host = lane;
    END IF;
END $$;

CREATE FUNCTION leave_delivery(lane text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM FROM delivery_hosts WHERE host = lane FOR UPDATE;
    DELETE FROM delivery_hosts WHERE host = lane AND NOT EXISTS (SELECT FROM deliveries WHERE host = lane);
    IF NOT FOUND THEN
        UPDATE delivery_hosts SET lease_until = NULL, failures = 0, failing_since = NULL WHERE host = lane;
    END IF;
END $$;

REVOKE ALL ON FUNCTION hold_post(text), leave_inbox(text), leave_delivery(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold_post(text), leave_inbox(text), leave_delivery(text) TO parvis_app;

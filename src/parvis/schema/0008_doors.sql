-- No function is anybody's to call, or to hang on a table of their own, but those named here. A guard reads the same times,
-- dates and patterns whatever its caller's session says.
DO $$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT p.oid::regprocedure AS name, p.prosecdef AS guard FROM pg_proc p
               WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = current_user::regrole
                   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', own.name);
        IF own.guard THEN
            EXECUTE format('ALTER FUNCTION %s SET TimeZone = ''UTC'' SET DateStyle = ''ISO, YMD''
                SET IntervalStyle = ''postgres'' SET standard_conforming_strings = on', own.name);
        END IF;
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION parvis_now, parvis_id, seen_by, refuse, is_resident, residents, is_moderator, acts, overturned,
    ledger_record, ledger_sequence, ledger_root, ledger_signed, ledger_receipt, ledger_public_since,
    ballot_tally, majority_median, majority_merit, charter_terms, charter_question, charter_outcome, charter_contest_until,
    charter_hash, charter_promulgate TO parvis_app;

-- A city may speak with servers only that it said are welcome: a row here, and so it is (peers/). Like the protections of sign-up it
-- judges nobody, and that it is so, and how many are welcome, is on the public record.
CREATE TABLE allow_list (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    since timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE TRIGGER protection_recorded AFTER INSERT OR DELETE ON allow_list
    FOR EACH ROW EXECUTE FUNCTION protection_recorded();
CREATE TRIGGER protection_by BEFORE INSERT ON domain_allows FOR EACH ROW EXECUTE FUNCTION protection_by();
CREATE TRIGGER protection_recorded AFTER INSERT OR DELETE ON domain_allows
    FOR EACH ROW EXECUTE FUNCTION protection_recorded();
GRANT SELECT, INSERT (one), DELETE ON allow_list TO parvis_app;

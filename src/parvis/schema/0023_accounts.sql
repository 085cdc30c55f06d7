-- Who came by which invitation, and whether it makes them follow their inviter; an archive's file goes with its row.

ALTER TABLE invitations ADD COLUMN follow boolean NOT NULL DEFAULT false;
CREATE TABLE invited (
    account_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    invitation_id bigint NOT NULL REFERENCES invitations ON DELETE CASCADE
);
CREATE INDEX invited_invitation ON invited (invitation_id);
GRANT SELECT, INSERT, DELETE ON invited TO parvis_app;

ALTER TABLE archives ADD CONSTRAINT archives_ready_with_a_file CHECK ((ready_at IS NULL) = (file IS NULL));
CREATE TRIGGER archive_files_change AFTER UPDATE OF file ON archives FOR EACH ROW
    EXECUTE FUNCTION files_follow_rows('0', 'file');
CREATE TRIGGER archive_files_go AFTER DELETE ON archives FOR EACH ROW WHEN (OLD.file IS NOT NULL)
    EXECUTE FUNCTION files_follow_rows('0', 'file');

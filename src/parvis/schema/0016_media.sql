-- Uploads that are made ready by a worker, and files that leave the store when nothing names them any more.

ALTER TABLE media
    ADD COLUMN state text NOT NULL DEFAULT 'ready' CHECK (state IN ('waiting', 'ready', 'failed')),
    ADD COLUMN failure text,                       -- why it failed
    ADD COLUMN raw_file text,                      -- while it waits: what came in, in the store
    ADD COLUMN preview_remote_url text,
    ADD COLUMN meta jsonb NOT NULL DEFAULT '{}',   -- length, rates and so on, as clients are told
    ADD COLUMN shown_before bigint REFERENCES statuses ON DELETE SET NULL,  -- an earlier state of this post showed it
    ADD COLUMN detached_at timestamptz,            -- when its post was deleted
    ADD CONSTRAINT media_waits_for_what_came CHECK ((state = 'waiting') = (raw_file IS NOT NULL)),
    ADD CONSTRAINT media_shown_is_ready CHECK (status_id IS NULL OR state = 'ready');
CREATE INDEX media_shown_before ON media (shown_before) WHERE shown_before IS NOT NULL;

-- Names in the store that no row has: reserved for what is just coming in, or left behind by what has gone.
CREATE TABLE doomed_files (
    name text PRIMARY KEY,
    due_at timestamptz NOT NULL
);
CREATE INDEX doomed_files_due ON doomed_files (due_at);
GRANT SELECT, INSERT, DELETE ON doomed_files TO parvis_app;

-- Arguments: how long a file stays that its row has let go, then the columns that name files.
CREATE FUNCTION files_follow_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text[] := '{}';
    after text[] := '{}';
BEGIN
    IF TG_OP <> 'INSERT' THEN
        before := ARRAY(SELECT value FROM jsonb_each_text(to_jsonb(OLD)) WHERE key = ANY(TG_ARGV) AND value IS NOT NULL);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := ARRAY(SELECT value FROM jsonb_each_text(to_jsonb(NEW)) WHERE key = ANY(TG_ARGV) AND value IS NOT NULL);
    END IF;
    INSERT INTO doomed_files (name, due_at)
        SELECT name, parvis_now() + TG_ARGV[0]::interval FROM unnest(before) name WHERE name <> ALL(after)
        ON CONFLICT DO NOTHING;
    DELETE FROM doomed_files WHERE name = ANY(after);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION files_follow_rows FROM PUBLIC;

CREATE TRIGGER media_files_come AFTER INSERT ON media FOR EACH ROW
    WHEN (NEW.file IS NOT NULL OR NEW.preview_file IS NOT NULL OR NEW.raw_file IS NOT NULL)
    EXECUTE FUNCTION files_follow_rows('0', 'file', 'preview_file', 'raw_file');
CREATE TRIGGER media_files_change AFTER UPDATE OF file, preview_file, raw_file ON media FOR EACH ROW
    EXECUTE FUNCTION files_follow_rows('0', 'file', 'preview_file', 'raw_file');
CREATE TRIGGER media_files_go AFTER DELETE ON media FOR EACH ROW
    WHEN (OLD.file IS NOT NULL OR OLD.preview_file IS NOT NULL OR OLD.raw_file IS NOT NULL)
    EXECUTE FUNCTION files_follow_rows('0', 'file', 'preview_file', 'raw_file');
-- Pages that show the old portrait are open somewhere: it stays for an hour.
CREATE TRIGGER account_files_change AFTER UPDATE OF avatar_file, header_file ON accounts FOR EACH ROW
    WHEN (OLD.avatar_file IS DISTINCT FROM NEW.avatar_file OR OLD.header_file IS DISTINCT FROM NEW.header_file)
    EXECUTE FUNCTION files_follow_rows('1 hour', 'avatar_file', 'header_file');
CREATE TRIGGER account_files_go AFTER DELETE ON accounts FOR EACH ROW
    WHEN (OLD.avatar_file IS NOT NULL OR OLD.header_file IS NOT NULL)
    EXECUTE FUNCTION files_follow_rows('0', 'avatar_file', 'header_file');

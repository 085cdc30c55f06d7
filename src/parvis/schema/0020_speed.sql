-- Indexes that spare a page or a post the reading of what it does not need.

-- Who asked to be told of an author's posts: few, among followers who may be many.
CREATE INDEX follows_watchers ON follows (target_id) WHERE notify AND accepted;

-- The newest posts of all with what a home timeline asks of them: most pages are full after a few hundred of its entries,
-- where asking each followed author in turn reads some thousands.
CREATE INDEX statuses_recent ON statuses (id DESC)
    INCLUDE (account_id, in_reply_to_account_id, reblog_of_id, language, visibility) WHERE deleted_at IS NULL;
DROP INDEX statuses_home;

-- Indexes that spare a page or a post the reading of what it does not need.

-- Who asked to be told of an author's posts: few, among followers who may be many.
CREATE INDEX follows_watchers ON follows (target_id) WHERE notify AND accepted;

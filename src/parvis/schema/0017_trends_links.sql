-- Links that many speak of (trends/). A page's card comes minutes after the post; so links are counted in steps, by posts.
CREATE TABLE link_counting (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    upto bigint NOT NULL                           -- the last post whose link was counted
);
INSERT INTO link_counting (upto) VALUES (0);

-- Who published what was linked: a host. It is here so that a choice about one has something to be about.
CREATE TABLE publishers (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    domain text UNIQUE NOT NULL
);

GRANT SELECT, UPDATE ON link_counting TO parvis_app;
GRANT SELECT, INSERT ON publishers TO parvis_app;

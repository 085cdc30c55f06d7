-- How many reports each server has made on a day (federation/): moderators are not to be drowned in them.
CREATE TABLE report_days (
    host text NOT NULL,
    day date NOT NULL,
    made integer NOT NULL,
    PRIMARY KEY (host, day)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON report_days TO parvis_app;

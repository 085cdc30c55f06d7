-- Somebody's year, made when they ask for it and told to nobody else.
CREATE TABLE annual_reports (
    account_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    year integer NOT NULL CHECK (year BETWEEN 1 AND 9999),
    data jsonb,                                    -- null: it is being made
    asked_at timestamptz NOT NULL DEFAULT parvis_now(),
    read_at timestamptz,
    PRIMARY KEY (account_id, year),
    CHECK (read_at IS NULL OR data IS NOT NULL)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON annual_reports TO parvis_app;

-- What many speak of (trends/), and how busy the city is. docs/trends.md says how it is ranked.

-- Who used what on which day. It begins as a delta, so that no row is hot, and is folded every few seconds.
-- tag, link: a public post with it, by the post's day. post, registration, sign_in: what the city's own people did, thing 0,
-- by the Monday of the week.
CREATE TABLE use_deltas (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('tag', 'link', 'post', 'registration', 'sign_in')),
    thing_id bigint NOT NULL,
    day date NOT NULL,
    account_id bigint NOT NULL,
    language text NOT NULL DEFAULT ''
);
CREATE INDEX use_deltas_thing ON use_deltas (kind, thing_id);
-- Names people, and is therefore forgotten after nine days: trends look back seven, a week has seven.
CREATE TABLE uses (
    kind text NOT NULL,
    thing_id bigint NOT NULL,
    day date NOT NULL,
    account_id bigint NOT NULL,
    language text NOT NULL DEFAULT '',
    uses integer NOT NULL,
    PRIMARY KEY (kind, thing_id, day, account_id)
);
CREATE INDEX uses_day ON uses (day);
-- Names nobody.
CREATE TABLE use_days (
    kind text NOT NULL,
    thing_id bigint NOT NULL,
    day date NOT NULL,
    uses integer NOT NULL,
    accounts integer NOT NULL,
    PRIMARY KEY (kind, thing_id, day)
);
CREATE INDEX use_days_day ON use_days (kind, day);

-- The ranking of the moment, made anew every few minutes; the language is '' for all together.
CREATE TABLE trends (
    kind text NOT NULL CHECK (kind IN ('tag', 'link', 'status', 'account')),
    language text NOT NULL,
    thing_id bigint NOT NULL,
    score double precision NOT NULL,
    rank integer NOT NULL,
    PRIMARY KEY (kind, language, thing_id)
);
CREATE INDEX trends_rank ON trends (kind, language, rank);

-- What the city chose to promote or not: who, when, and never unwritten. The latest on a thing counts.
CREATE TABLE trend_reviews (
    id bigint PRIMARY KEY DEFAULT parvis_id(),
    kind text NOT NULL CHECK (kind IN ('tag', 'link', 'status', 'publisher')),
    thing_id bigint NOT NULL,
    approved boolean NOT NULL,
    account_id bigint NOT NULL REFERENCES accounts,
    created_at timestamptz NOT NULL DEFAULT parvis_now()
);
CREATE INDEX trend_reviews_thing ON trend_reviews (kind, thing_id, id DESC);

INSERT INTO uses (kind, thing_id, day, account_id, language, uses)
    SELECT 'tag', st.tag_id, (s.created_at AT TIME ZONE 'UTC')::date, s.account_id,
           coalesce(min(split_part(s.language, '-', 1)), ''), count(*)
    FROM statuses s JOIN status_tags st ON st.status_id = s.id JOIN accounts a ON a.id = s.account_id
    WHERE s.visibility = 'public' AND s.deleted_at IS NULL AND a.limited_at IS NULL
      AND s.created_at > parvis_now() - interval '8 days'
    GROUP BY 2, 3, 4;
INSERT INTO use_days (kind, thing_id, day, uses, accounts)
    SELECT kind, thing_id, day, sum(uses), count(*) FROM uses GROUP BY 1, 2, 3;
INSERT INTO use_days (kind, thing_id, day, uses, accounts)
    SELECT 'post', 0, date_trunc('week', s.created_at, 'UTC')::date, count(*), count(DISTINCT s.account_id)
    FROM statuses s WHERE s.local AND s.reblog_of_id IS NULL AND s.created_at > parvis_now() - interval '12 weeks' GROUP BY 3;
INSERT INTO use_days (kind, thing_id, day, uses, accounts)
    SELECT 'registration', 0, date_trunc('week', u.created_at, 'UTC')::date, count(*), count(*)
    FROM users u WHERE u.created_at > parvis_now() - interval '12 weeks' GROUP BY 3;

GRANT SELECT, INSERT, UPDATE, DELETE ON use_deltas, uses, use_days, trends TO parvis_app;
GRANT SELECT, INSERT ON trend_reviews TO parvis_app;

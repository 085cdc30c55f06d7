-- Finding (search/): the words of posts, and people by parts of their names.
--
-- Both configurations take accents away. The simple one keeps every word as it is; the French one knows plurals and
-- conjugations. A post is kept under both, a query asks for either: "votes" finds "vote", and an English word itself.
CREATE TEXT SEARCH CONFIGURATION parvis_simple (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION parvis_simple
    ALTER MAPPING FOR hword, hword_part, word WITH public.unaccent, pg_catalog.simple;
CREATE TEXT SEARCH CONFIGURATION parvis_french (COPY = pg_catalog.french);
ALTER TEXT SEARCH CONFIGURATION parvis_french
    ALTER MAPPING FOR hword, hword_part, word WITH public.unaccent, pg_catalog.french_stem;

-- Who may find a post is never kept here: it is asked of the post, its author and seen_by each time.
CREATE TABLE status_words (
    status_id bigint PRIMARY KEY REFERENCES statuses ON DELETE CASCADE,
    account_id bigint NOT NULL,
    link boolean NOT NULL,                         -- points to a page, beside people and hashtags
    words tsvector NOT NULL
);
CREATE INDEX status_words_words ON status_words USING gin (words);
CREATE INDEX status_words_author ON status_words (account_id, status_id DESC);

-- Posts from before this file are taken up by a job, the newest first, in steps; 0 when all are. An operator who sets it
-- to the highest number has every post read anew.
CREATE TABLE search_backlog (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    below bigint NOT NULL
);
INSERT INTO search_backlog (below) SELECT coalesce(max(id) + 1, 0) FROM statuses;

-- A text as it is kept. Tags between words part them, tags within words do not; entities are the parser's business. The
-- stop words between the two readings keep them apart: no phrase may begin in one and end in the other.
CREATE FUNCTION search_words(html text, plain text) RETURNS tsvector LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('public.parvis_simple', said) || to_tsvector('public.parvis_french', repeat('de ', 50) || said)
    FROM (SELECT plain || ' ' || regexp_replace(regexp_replace(
        html, '</?(p|br|li|ul|ol|pre|blockquote|h[1-6])\M[^>]*>', ' ', 'gi'), '<[^>]*>', '', 'g') AS said) t
$$;

-- What is asked for: every wanted word or phrase, in either configuration, and none of the unwanted. NULL: no word at all.
CREATE FUNCTION search_query(wanted text[], unwanted text[]) RETURNS tsquery LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT string_agg(CASE WHEN wish THEN '(' ELSE '!(' END || asked::text || ')', ' & ')::tsquery
    FROM (SELECT said, true AS wish FROM unnest(wanted) said UNION ALL SELECT said, false FROM unnest(unwanted) said) t
    CROSS JOIN LATERAL (SELECT phraseto_tsquery('public.parvis_simple', said)
                               || phraseto_tsquery('public.parvis_french', said) AS asked) q
    WHERE numnode(asked) > 0
$$;

-- What somebody is found by. unaccent() is only STABLE because its rules are a file; ours do not change.
CREATE FUNCTION search_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(public.unaccent('public.unaccent'::regdictionary, name))
$$;
CREATE FUNCTION search_names(username text, domain text, display_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(public.unaccent('public.unaccent'::regdictionary,
                                 username || coalesce('@' || domain, '') || ' ' || display_name))
$$;
CREATE INDEX accounts_names ON accounts USING gin (search_names(username, domain, display_name) gin_trgm_ops);
CREATE INDEX tags_prefix ON tags (name COLLATE "C");

GRANT SELECT, INSERT, UPDATE, DELETE ON status_words TO parvis_app;
GRANT SELECT, UPDATE ON search_backlog TO parvis_app;
REVOKE EXECUTE ON FUNCTION search_words, search_query, search_name, search_names FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_words, search_query, search_name, search_names TO parvis_app;

-- For pages that many look at in one statement.

-- Those of these posts that a viewer may see. Not inlined: its plan is prepared only where a post is not open to all.
CREATE FUNCTION seen_among(viewer bigint, posts bigint[]) RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(s.id) FROM seen_by(viewer) s WHERE s.id = ANY(posts)
$$;
REVOKE EXECUTE ON FUNCTION seen_among FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seen_among TO parvis_app;

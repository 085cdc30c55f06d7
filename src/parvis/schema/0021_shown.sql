-- What few posts have, in functions of their own: a statement that spelled it out would be prepared for it on every page,
-- and is then called for nobody. Neither is inlined, which is the point.

-- A post's poll with its counts of this moment, and what the viewer has chosen.
CREATE FUNCTION poll_shown(asking bigint, viewer bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('id', p.id::text, 'multiple', p.multiple, 'hidden', p.hide_totals,
        'expires_at', to_char(p.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'expired', coalesce(p.expires_at <= parvis_now(), false), 'own', p.account_id IS NOT DISTINCT FROM viewer,
        'voters', p.voters + coalesce((SELECT sum(x.voters) FROM poll_count_deltas x WHERE x.poll_id = p.id), 0),
        'emojis', emojis_in((SELECT string_agg(q.title, ' ') FROM poll_options q WHERE q.poll_id = p.id),
                            (SELECT w.domain FROM accounts w WHERE w.id = p.account_id)),
        'chosen', (SELECT jsonb_agg(v.choice ORDER BY v.choice) FROM poll_votes v
                   WHERE v.poll_id = p.id AND v.account_id = viewer),
        'options', (SELECT jsonb_agg(jsonb_build_object('title', q.title, 'votes', greatest(0, q.votes + coalesce((
                        SELECT sum(x.votes) FROM poll_count_deltas x
                        WHERE x.poll_id = p.id AND x.choice = q.choice), 0))) ORDER BY q.choice)
                    FROM poll_options q WHERE q.poll_id = p.id))
    FROM polls p WHERE p.status_id = asking
$$;

-- What a viewer is told of an accepted quote: that it is, or what stands between them and what is quoted.
CREATE FUNCTION quote_shown(quoted bigint, viewer bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN s.deleted_at IS NOT NULL OR a.deleted_at IS NOT NULL THEN 'deleted'
        WHEN EXISTS (SELECT FROM blocks b WHERE b.account_id = viewer AND b.target_id = s.account_id)
        THEN 'blocked_account'
        WHEN NOT EXISTS (SELECT FROM seen_by(viewer) v WHERE v.id = s.id) THEN 'unauthorized'
        WHEN EXISTS (SELECT FROM domain_blocks b WHERE b.account_id = viewer AND b.domain = a.domain)
        THEN 'blocked_domain'
        WHEN EXISTS (SELECT FROM mutes m WHERE m.account_id = viewer AND m.target_id = s.account_id
                                           AND (m.until IS NULL OR m.until > parvis_now())) THEN 'muted_account'
        ELSE 'accepted' END
    FROM statuses s JOIN accounts a ON a.id = s.account_id WHERE s.id = quoted
$$;

REVOKE EXECUTE ON FUNCTION poll_shown, quote_shown FROM PUBLIC;
GRANT EXECUTE ON FUNCTION poll_shown, quote_shown TO parvis_app;

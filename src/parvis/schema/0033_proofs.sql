-- Ed25519 keys of actors (federation/): those of other servers' people as these publish them, and one for each of ours,
-- made when it is first needed; its private half is sealed with a secret that is not in the database.
CREATE TABLE actor_keys (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    key_id text NOT NULL,
    public_key text NOT NULL CHECK (public_key LIKE 'z6Mk%'),  -- as a Multikey says it
    private_key_sealed bytea,                                  -- local only
    expires_at timestamptz,
    PRIMARY KEY (account_id, key_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON actor_keys TO parvis_app;

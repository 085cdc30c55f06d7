"""The Ed25519 keys of actors: those that others publish, and our own."""

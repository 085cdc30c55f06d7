"""Who has a post of another server through somebody of this city."""

"""Lists of posts for a reader: home, the city, the known world, a hashtag, an account. Owns no table."""

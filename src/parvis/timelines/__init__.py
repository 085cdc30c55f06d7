"""Lists of posts for a reader: home, the city, the known world, a hashtag, an account, a list, direct conversations.

And what shapes them: lists of people, hashtags one follows or shows on a profile, where one stopped reading.

Owns the tables lists, list_accounts, tag_follows, featured_tags, markers, conversations.
"""

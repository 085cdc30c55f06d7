"""Finding posts, people and hashtags by words.

Owns the tables status_words, search_backlog.
"""

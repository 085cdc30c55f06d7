"""Finding posts, people and hashtags by words; and people whom one could follow.

Owns the tables status_words, search_backlog, suggestion_dismissals.
"""

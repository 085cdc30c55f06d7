"""Finding posts, people and hashtags by words.

Owns no table.
"""

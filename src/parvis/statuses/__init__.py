"""Posts, and what people do with them.

Owns the tables statuses, status_counts, status_count_deltas, status_edits, mentions, tags, status_tags, favourites,
bookmarks, pins, conversation_mutes, idempotency_keys, translations.
"""

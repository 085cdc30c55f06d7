"""Lists of people that somebody recommends, shown on a profile.

Owns the tables collections, collection_items.
"""

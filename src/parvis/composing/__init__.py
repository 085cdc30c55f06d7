"""What a person writes becomes a post: at once, or later.

Owns no table.
"""

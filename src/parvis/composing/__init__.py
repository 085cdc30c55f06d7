"""What a person writes becomes a post: at once, or later.

Owns the table scheduled_statuses.
"""

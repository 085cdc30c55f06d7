"""What the city tells everybody on it, and how they react.

Owns the tables announcements, announcement_dismissals, announcement_reactions.
"""

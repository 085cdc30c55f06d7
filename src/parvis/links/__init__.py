"""Pages that posts point to, and the cards that preview them.

Owns no table.
"""

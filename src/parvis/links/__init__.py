"""Pages that posts point to, and the cards that preview them.

Owns the tables preview_cards, linked_pages, status_cards.
"""

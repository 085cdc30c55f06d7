"""What many speak of these days, by a published formula.

Owns no table.
"""

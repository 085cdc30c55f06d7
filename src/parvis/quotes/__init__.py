"""A post that shows another, and whether that one's author agreed.

Owns the table quotes.
"""

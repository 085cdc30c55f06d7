"""A question with options: who chose what, until when. It does not know which post asks.

Owns no table.
"""

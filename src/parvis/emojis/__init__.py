"""Small pictures with a name, of this city and of others.

Owns the table custom_emojis.
"""

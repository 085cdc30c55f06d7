"""What somebody does not want to read, and what is done with it instead.

Owns no table.
"""

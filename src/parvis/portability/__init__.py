"""Coming, leaving, and taking everything along.

Owns no table.
"""

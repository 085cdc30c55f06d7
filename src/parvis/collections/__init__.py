"""Lists of people that somebody recommends, shown on a profile.

Owns no table.
"""

"""Files that people attach: made smaller, stripped of what cameras add, described for those who cannot see them.

Owns the table media.
"""

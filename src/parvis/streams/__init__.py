"""What is told at once to those who listen: which streams there are, who hears what, and when a stream must end.

Owns no table.
"""

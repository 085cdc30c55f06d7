"""What is told at once to those who listen.

Owns no table.
"""

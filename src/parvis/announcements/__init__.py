"""What the city tells everybody on it, and how they react.

Owns no table.
"""

"""Mastodon's client API and the civic API: one table of operations, each a thin caller of a deed or a view.

Owns the table rate_counts.
"""

VERSION = "0.1.0"

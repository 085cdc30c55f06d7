"""The other servers: which ones we have met, and when we last heard from them.

Owns the table peers.
"""

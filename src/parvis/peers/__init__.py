"""The other servers: which ones we have met, when we last heard from them, and which are away, and which are kept out.

Who is kept out follows from moderation's measures; here it is only looked up.

Owns the tables peers, domain_allows.
"""

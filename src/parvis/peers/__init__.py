"""The other servers: which ones we have met, when we last heard from them, and which are away, and which are kept out.

Who is kept out follows from moderation's measures; here it is only looked up. A city may also speak with
none but those that are welcome.

Owns the tables peers, domain_allows, allow_list.
"""

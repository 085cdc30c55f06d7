"""Signing in: passwords, applications, tokens, what each may do, and who does not come in.

Owns the tables users, applications, authorization_codes, tokens, sessions,
ip_blocks, email_domain_blocks, email_domain_tries, canonical_email_blocks.
"""

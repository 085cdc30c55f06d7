"""Signing in: passwords, applications, tokens, and what each may do.

Owns the tables users, applications, authorization_codes, tokens, sessions.
"""

"""Signing in: passwords, applications, tokens, and what each may do.

Owns the tables users, applications, authorization_codes, tokens, sessions, recovery_codes, passkeys, sign_ins,
invitations.
"""

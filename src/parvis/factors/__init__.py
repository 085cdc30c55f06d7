"""Signing in with more than a password: codes from an app, recovery codes, passkeys.

Owns the tables totps, recovery_codes, passkeys, sign_ins.
"""

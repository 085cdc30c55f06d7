"""Coming, leaving, and taking everything along.

Owns the tables imports, import_rows, archives, invitations, invited, moves.
"""

"""The public record: an RFC 6962 tree of decisions with signed checkpoints, and the mandates under which power is used.

Owns the tables ledger_leaves, ledger_nodes, ledger_checkpoints.
"""

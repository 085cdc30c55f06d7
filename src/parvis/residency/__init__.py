"""Who lives here. Stored apart from people: an attestation says that, where and until when, never how it was proved.

Without an attestation nobody proposes, supports or votes; SQL refuses it too. One person with two accounts is for the
provider to notice: this room knows accounts only.

Owns the table residency.attestations.
"""

"""People: profiles, and who follows, blocks and mutes whom.

Owns the tables accounts, account_counts, account_count_deltas, follows, suspended_follows, blocks, mutes,
domain_blocks, account_notes, endorsements.
"""

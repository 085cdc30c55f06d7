"""A question with options: who chose what, until when. It does not know which post asks.

Owns the tables polls, poll_options, poll_count_deltas, poll_votes.
"""

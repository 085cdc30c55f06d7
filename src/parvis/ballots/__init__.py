"""A generic counting machine: it gathers ballots and counts them, and does not know what they decide about.

Owns the tables ballot_boxes, ballot_rolls, ballots.
"""

"""The borders of the city: what a decision about a server means for people here.

Whom it would cut off is counted before it is taken, and whom it did is told when it takes effect and when it ends.

Owns the table cut_ties.
"""

"""The borders of the city: what a decision about a server means for people here.

Whom it would cut off is counted before it is taken, and whom it did is told when it takes effect and when it ends. None
stands for ever unexamined: on the day it names, at the latest after a year, moderators are reminded of it.

What others' lists say of servers is a proposal to a moderator, never an order.

Owns the tables cut_ties, review_reminders, shared_lists, domain_proposals.
"""

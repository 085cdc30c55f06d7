"""The borders of the city: what a decision about a server means for people here.

Whom it would cut off is counted before it is taken, and whom it did is told when it takes effect and when it ends. None
stands for ever unexamined: on the day it names, at the latest after a year, moderators are reminded of it.

Owns the tables cut_ties, review_reminders.
"""

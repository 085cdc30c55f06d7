"""What many speak of these days, by a published formula; and how busy the city was, week by week.

Owns the tables use_deltas, uses, use_days, trends, trend_reviews, link_counting, publishers.
"""

"""What somebody does not want to read, and what is done with it instead.

Owns the tables filters, filter_keywords, filter_statuses.
"""

"""Hashtags and linked pages, and how often they were used. Owns no table."""

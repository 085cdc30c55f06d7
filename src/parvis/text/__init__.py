"""Turns what people write into safe HTML and back: mentions, hashtags, links, sanitising, languages. Pure."""

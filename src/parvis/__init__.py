"""Parvis: a social server for a city, whose rules its residents make."""

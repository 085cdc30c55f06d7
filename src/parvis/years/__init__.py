"""Somebody's own year, looked back on by them alone, when they ask for it.

Owns the tables annual_reports.
"""

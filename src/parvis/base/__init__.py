"""What every room stands on and which knows no social word: database, jobs, time, errors, outbound HTTP.

Owns the tables clock_offset, city and pulses.
"""

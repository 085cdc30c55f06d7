"""Files that people attach: made anew, stripped of what cameras add, described for those who cannot see or hear them.

Owns the tables media and doomed_files.
"""

"""What comes in, from here or from elsewhere, looked at for signs of spam; what may follow is a number of the charter.

A rule reads behaviour and likeness, never opinion. It is off, only counted, or it acts: then a post can be kept back,
where its author alone sees it, is told why and can appeal, and from where it comes out again by itself.

Owns the tables holds, hold_steps, screening_prints, screening_marks, screening_counts, screening_arrivals.
"""

"""One file for each kind of activity: read it, find what it speaks of, call the deed that our own requests call."""

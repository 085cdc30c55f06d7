"""The pages: what a browser shows without any script. It reads through views and rooms, and acts by their deeds."""

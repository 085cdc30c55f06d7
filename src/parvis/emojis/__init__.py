"""Small pictures with a name, of this city and of others. Owns the table custom_emojis.

A text shows its own city's emoji: ours those of this city, another server's those of that server, which are kept by
their address; no picture is fetched. Cards are kept by id and version, so what is shown already keeps the emoji that
there were when its card was made; one that is added or drawn anew later appears there when the author edits, and in
all that is made after it.
"""

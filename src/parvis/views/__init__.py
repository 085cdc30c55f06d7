"""What a viewer is shown: ids in, Mastodon's JSON out, in batches. The only composer and keeper of cards.

Owns no table.
"""

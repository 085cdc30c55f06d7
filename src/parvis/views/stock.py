"""The making of cards: which are missing on the shelf, and what they are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from parvis.base.db import Read
from parvis.base.settings import Settings
from parvis.views import queries
from parvis.views.cards import Shelf, account_card, preview_card, quoting_data, status_card
from parvis.views.model import Post
from parvis.views.queries import CARDS, Material

MAKERS = {"status": status_card, "account": account_card, "card": preview_card}
Missing = Mapping[str, Mapping[int, int]]


class Stock(msgspec.Struct, frozen=True):
    """A shelf and the city whose cards stand on it."""

    shelf: Shelf
    settings: Settings

    def missing(self, wanted: Mapping[str, Iterable[tuple[int, int]]]) -> Missing:
        """The versions of the cards that are not on the shelf, by kind and id."""
        return {
            kind: {number: version for number, version in pairs if self.shelf.card(kind, number, version) is None}
            for kind, pairs in wanted.items()
        }

    def missing_of(self, posts: Iterable[Post], people: Iterable[Post]) -> Missing:
        """Those of posts with their authors and linked pages, and of people."""
        posts = list(posts)
        return self.missing({
            "status": ((post.id, post.version) for post in posts),
            "account": ((post.account_id, post.account_version) for post in [*posts, *people]),
            "card": ((post.card_id, post.card_version) for post in posts if post.card_id and post.card_version),
        })

    def fill(self, missing: Missing, found: Sequence[Material]) -> None:
        """Make cards and put them on the shelf."""
        for made in found:
            card = MAKERS[made.kind](made.data, self.settings)
            quoting = quoting_data(made.data) if made.kind == "status" else None
            for version in {made.version, missing[made.kind][made.id]}:  # it may have changed since that was read
                self.shelf.put(made.kind, made.id, version, card)
                if quoting is not None:
                    self.shelf.put("quoting", made.id, version, status_card(quoting, self.settings))

    async def links(self, r: Read, pages: Iterable[tuple[int, int]]) -> None:
        """Have the cards of linked pages on the shelf."""
        missing = self.missing({"card": pages})
        if missing["card"]:
            self.fill(missing, await queries.materials(r, [], [], list(missing["card"])))


def ids(missing: Missing) -> list[list[int]]:
    """The ids of missing cards as queries want them."""
    return [list(missing.get(kind, ())) for kind in CARDS]

"""What stands around a post, for many who ask at one moment: against a walk in plain Python."""

from __future__ import annotations

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parvis.base.db import Db
from parvis.base.settings import Settings
from parvis.views.cards import Shelf
from parvis.views.model import Around
from parvis.views.thread import threads

OTHER = 2
START = 100


@st.composite
def forests(draw: st.DrawFn) -> list[tuple[int | None, bool, bool, bool]]:
    """Posts: the one each answers, is it for its author alone, is it hidden from its thread, is it from elsewhere."""
    size = draw(st.integers(1, 9))
    answers = [draw(st.none() | st.integers(0, n - 1)) if n else None for n in range(size)]
    return [(answer, *draw(st.tuples(*[st.sampled_from((False, False, True))] * 3))) for answer in answers]


class Walk:
    """The rules in words: up to the beginning, nearest last; down in the order of what was said, branch by branch."""

    def __init__(self, posts: list[tuple[int | None, bool, bool, bool]]) -> None:
        self.posts = posts

    def above(self, number: int, most: int) -> list[int]:
        parent = self.posts[number][0]
        return [] if parent is None or most == 0 else [*self.above(parent, most - 1), parent]

    def below(self, number: int, depth: int) -> list[int]:
        if depth == 0:
            return []
        own = [n for n, (answered, _, hidden, _) in enumerate(self.posts) if answered == number and not hidden]
        return [each for n in own for each in (n, *self.below(n, depth - 1))]

    def seen(self, viewer: int | None, numbers: list[int]) -> list[int]:
        return [n for n in numbers if viewer == OTHER or not self.posts[n][1]]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(forests(), st.integers(0, 3), st.integers(1, 4), st.integers(1, 3))
async def test_everyone_sees_around_a_post_what_they_may(
    db: Db, owner: asyncpg.Connection[object], posts: list[tuple[int | None, bool, bool, bool]], up: int, down: int,
    depth: int,
) -> None:
    await owner.execute("DELETE FROM statuses; DELETE FROM accounts")
    await owner.execute("INSERT INTO accounts (id, username, uri, url) VALUES (1, 'a', 'u1', 'u1'), (2, 'b', 'u2', 'u2')")
    await owner.executemany(
        """INSERT INTO statuses (id, account_id, uri, local, visibility, conversation_id, in_reply_to_id,
                                 in_reply_to_account_id, reply_hidden)
           VALUES ($1::bigint, 2, 's' || $1::bigint, $2, $3, $1, $4, $5, $6)""",
        [(START + n, not far, "private" if private else "public", None if answered is None else START + answered,
          None if answered is None else 2, hidden) for n, (answered, private, hidden, far) in enumerate(posts)],
    )
    walk, shelf, base = Walk(posts), Shelf(), Settings(dev=True)
    asked = [Around(viewer, START + n, up, down, depth) for n in range(len(posts)) for viewer in (None, 1, OTHER)]
    async with db.read() as r:
        together = await threads(r, shelf, base, [*asked, Around(1, 1, up, down, depth)])
    for one in asked:
        number = one.status_id - START
        if not walk.seen(one.viewer, [number]):
            assert one not in together
            continue
        found = together[one]
        above, below = walk.above(number, up), walk.below(number, depth)[:down]
        for entities, wanted in ((found.above, above), (found.below, below), ([found.status], [number])):
            ids = [int(entity.split(b'"id":"', 1)[1].split(b'"', 1)[0]) for entity in entities]
            assert ids == [START + n for n in walk.seen(one.viewer, wanted)]
        assert found.far == posts[number][3]
    assert len(together) == sum(bool(walk.seen(one.viewer, [one.status_id - START])) for one in asked)

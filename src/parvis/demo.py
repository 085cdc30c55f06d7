"""The demonstration city: a history of forty days, made by the real deeds while the city's clock stood in the past."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib import resources
from typing import Any

from PIL import Image, ImageDraw

from parvis.access import actions as access
from parvis.access import queries as users
from parvis.access.model import SignUp
from parvis.accounts import actions as people
from parvis.accounts.model import Account, ProfileEdit
from parvis.app import App
from parvis.ballots.majority import Mention
from parvis.base import city as cities
from parvis.base.db import Db
from parvis.charter import actions as charter
from parvis.charter import queries as articles
from parvis.charter.model import ProposalDraft
from parvis.ledger import actions as ledger
from parvis.media import actions as media
from parvis.media.model import Said
from parvis.moderation import actions as moderation
from parvis.moderation.model import DecisionDraft, Level, ReportDraft
from parvis.residency import actions as residency
from parvis.residency.model import Operator
from parvis.statuses import actions as statuses
from parvis.statuses.model import Draft
from parvis.text import html

NAME = "Place-sur-Seine"
DESCRIPTION = "La place publique d’une petite ville : on y parle, et l’on y décide ensemble des règles."
CONTACT = "mairie@place-sur-seine.example"
PASSWORD = "place-publique"  # noqa: S105  # of people who are not real, printed at the start
BEGINNING = 40

Story = Mapping[str, Any]


def told() -> Story:
    """Who lives in the demonstration city and what they did."""
    return tomllib.loads((resources.files("parvis") / "demo.toml").read_text(encoding="utf-8"))


def welcome(origin: str) -> str:
    """How to sign in, for the terminal."""
    names = ", ".join(person["name"] for person in told()["person"])
    return (
        f"{NAME}: sign in at {origin}/auth/sign_in with the password “{PASSWORD}” as one of: {names}\n"
        "(for example amina@example.org; farid is a moderator). Letters go to the folder mails/."
    )


def founding() -> dict[str, Any]:
    """The charter every city begins with, with a small town's numbers."""
    document = charter.document(charter.provisional())
    small = {article["number"]: article for article in told()["small"]}
    return {"articles": [{**article, **small.get(article["number"], {})} for article in document["articles"]]}


class Seed:
    """Plays the story: a deed, then time passes, then the next deed."""

    def __init__(self, app: App, owner: Db) -> None:
        self.app = app
        self.owner = owner
        self.story = told()
        self.who: dict[str, Account] = {}
        self.posts: dict[str, int] = {}
        self.day = float(BEGINNING)

    async def move_to(self, day: float) -> None:
        """Let the city live through the days until then: votes close, rules are promulgated, the record is signed."""
        while self.day > day:
            self.day = max(self.day - 1, day)
            await self.stand_at(self.day)
            await self.settle()

    async def stand_at(self, day: float) -> None:
        """Set every clock of the city to so many days ago."""
        ahead = timedelta(days=-day)
        async with self.owner.write() as tx:
            await cities.set_clock(tx, ahead)
        self.day = day
        self.app.clock.offset = ahead

    async def settle(self) -> None:
        """What the job worker would have done by now."""
        while await charter.sweep(self.app.job):
            pass
        await ledger.sequence(self.app.job)
        await moderation.execute(self.app.job)
        await ledger.sequence(self.app.job)

    async def play(self) -> None:
        """From the founding to today."""
        await self.stand_at(BEGINNING)
        async with self.owner.write() as tx:
            await charter.found(tx, founding())
        for person in self.story["person"]:
            await self.settle_in(person)
        for account in self.who.values():
            await self.follow_all(account)
        scenes: list[tuple[float, Callable[[Story], Any], Story]] = [
            *((post["day"], self.post, post) for post in self.story["post"]),
            *((rule["day"], self.change_rule, rule) for rule in self.story["rule"]),
            (self.story["case"]["day"], self.judge, self.story["case"]),
        ]
        for index, (day, scene, story) in enumerate(sorted(scenes, key=lambda s: -s[0])):
            await self.move_to(max(day - index / 400, 0.02 - index / 4000))
            await scene(story)
        await self.move_to(0)
        async with self.owner.write() as tx:
            await cities.set_clock(tx, timedelta(0))
            await cities.found(tx, self.app.settings)

    async def settle_in(self, person: Story) -> None:
        """Someone moves in, draws a portrait and, if they live here, is attested."""
        settings, name = self.app.settings, person["name"]
        wish = SignUp(name, f"{name}@example.org", PASSWORD, person.get("locale", "fr"), True, person["display"])
        prepared = await access.prepare(settings, wish)
        face = await media.keep(self.app.job, "avatar", portrait(person["display"], person["colour"]))
        head = await media.keep(self.app.job, "header", banner(person["colour"]))
        edit = ProfileEdit(
            note=html.html(person["bio"], {}, lambda tag: f"{settings.base}/tags/{tag.lower()}"),
            note_text=person["bio"], avatar_file=face.file, header_file=head.file, discoverable=True, indexable=True,
        )
        async with self.app.db.write() as tx:
            account = await access.sign_up(tx, prepared, settings, confirmed=True)
            await people.edit_profile(tx, account, edit)
            if "role" in person:
                await users.appoint(tx, account.id, person["role"])
            if "district" in person:
                await residency.ask(tx, Operator(person["district"], tx.now + timedelta(days=365)), account.id)
            self.who[name] = await people.account(tx, account.id)

    async def follow_all(self, account: Account) -> None:
        """In a small town everybody follows everybody."""
        async with self.app.db.write() as tx:
            for other in self.who.values():
                if other.id != account.id:
                    await people.follow(tx, account, other)

    async def post(self, post: Story) -> None:
        """Write, and let the others answer to it."""
        settings, by = self.app.settings, self.who[post["by"]]
        drawing = self.story["picture"].get(post.get("picture"))
        kept = await media.take(self.app.job, picture(drawing), wait=True) if drawing else None
        async with self.app.db.write() as tx:
            files = () if kept is None else ((await media.upload(tx, by, kept, Said(post["alt"]))).id,)
            made = await statuses.compose(tx, post["text"], settings.base, settings.domain)
            draft = Draft(
                content=made.content, text=post["text"], visibility="public", language=post.get("lang", "fr"),
                in_reply_to_id=self.posts[post["to"]] if "to" in post else None,
                mentions=made.mentions, tags=made.tags, media=files,
            )
            self.posts[post["id"]] = (await statuses.publish(tx, by, draft)).id
        for name in post.get("likes", ()):
            async with self.app.db.write() as tx:
                await statuses.favourite(tx, self.who[name], self.posts[post["id"]])
        for name in post.get("shares", ()):
            async with self.app.db.write() as tx:
                await statuses.reblog(tx, self.who[name], self.posts[post["id"]])

    async def change_rule(self, rule: Story) -> None:
        """Propose, gather support, vote."""
        draft = ProposalDraft(title=rule["title"], text=rule["text"], scope=rule["scope"], ceiling=rule["ceiling"])
        async with self.app.db.write() as tx:
            number = await charter.propose(tx, self.who[rule["by"]], draft)
            for name in rule["support"]:
                await charter.support(tx, self.who[name], number)
        await self.move_to(self.day - 0.1)
        for name, (text, status_quo) in rule["ballots"].items():
            async with self.app.db.write() as tx:
                grades = {"text": Mention(text), "status_quo": Mention(status_quo)}
                await charter.cast(tx, self.who[name], number, grades)

    async def judge(self, case: Story) -> None:
        """A report, and a decision on the ground of the rule the residents made."""
        status_id = self.posts[case["post"]]
        author = next(self.who[post["by"]] for post in self.story["post"] if post["id"] == case["post"])
        moderator = self.who[case["decided_by"]]
        async with self.app.db.read() as r:
            rules = [a.id for a in await articles.in_force(r) if a.heading == self.story["rule"][0]["title"]]
        about = ReportDraft(
            status_ids=(status_id,), comment=case["comment"], category="violation", article_ids=tuple(rules)
        )
        async with self.app.db.write() as tx:
            report = await moderation.report(tx, self.who[case["by"]], author, about)
        await self.move_to(self.day - 0.5)
        async with self.app.db.write() as tx:
            ground = await moderation.ground_for(tx, author.id, report_id=report, status_ids=(status_id,))
            mandate = await moderation.mandate(tx, moderator, ground)
            draft = DecisionDraft(
                target_id=author.id, level=Level.removal, facts=case["facts"], status_ids=(status_id,)
            )
            await moderation.decide(tx, moderator, mandate, draft)


async def seed(app: App, owner: Db) -> None:
    """Found the demonstration city; its row is written last, so that an interrupted seed is seen."""
    await Seed(app, owner).play()


async def interrupted(owner: Db) -> bool:
    """Was a seed begun here and never finished?"""
    async with owner.read() as r:
        return await cities.city(r) is None and bool(await articles.charter_versions(r))


WIDTH, HEIGHT = 1200, 800
HAIR = ("#3b2b20", "#8c5a2b", "#20242c", "#b9a98c")


def picture(drawing: Story) -> bytes:
    """One of the drawings that the people of the demonstration city post."""
    sky = Image.new("RGB", (1, 2))
    for place, colour in enumerate(drawing["sky"]):
        ImageDraw.Draw(sky).point((0, place), colour)
    large = sky.resize((WIDTH * 2, HEIGHT * 2), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(large)
    paint = {"rectangle": draw.rectangle, "ellipse": draw.ellipse, "polygon": draw.polygon}
    for line in drawing["shapes"].strip().split("\n"):
        kind, colour, *points = line.split(" ")
        paint[kind]([float(point) * 2 for point in points], fill=colour)
    return _png(large.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def portrait(name: str, colour: str) -> bytes:
    """A head and shoulders on a colour."""
    image = Image.new("RGB", (400, 400), colour)
    draw = ImageDraw.Draw(image)
    draw.ellipse((130, 80, 270, 220), fill="#f6efe2")
    draw.ellipse((70, 240, 330, 520), fill="#f6efe2")
    chance = sum(name.encode())
    draw.chord((130, 80, 270, 220), 160 + chance % 40, 360 - chance % 30, fill=HAIR[chance % len(HAIR)])
    return _png(image)


def banner(colour: str) -> bytes:
    """Waves of one colour."""
    image = Image.new("RGB", (1500, 500), colour)
    draw = ImageDraw.Draw(image, "RGBA")
    for i in range(6):
        draw.ellipse((i * 300 - 300, 200 + i % 2 * 90, i * 300 + 420, 900), fill=(255, 255, 255, 28))
    return _png(image)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()

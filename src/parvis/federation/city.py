"""What the endpoints need of the application that serves them."""

from __future__ import annotations

from typing import Protocol

from parvis.base.batch import Batch
from parvis.base.clock import Clock
from parvis.base.db import Db, Read
from parvis.base.http import Http
from parvis.base.settings import Settings
from parvis.federation.documents import Sent, Wanted


class City(Protocol):
    """What these endpoints need of the application that serves them."""

    @property
    def db(self) -> Db:
        """The city's database."""

    @property
    def http(self) -> Http:
        """The way out."""

    @property
    def settings(self) -> Settings:
        """How the city is deployed."""

    @property
    def documents(self) -> Batch[Read, Wanted, Sent]:
        """People and posts, written out for all who ask at one moment."""

    @property
    def clock(self) -> Clock:
        """What time it is."""

"""Facts of a deployment, at most 30. What residents may decide is in the charter, not here."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from parvis.base import seal

PREFIX = "PARVIS_"


class BadSetting(Exception):
    """One clear sentence on the value that cannot be used."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """How this city's server is deployed. Each field is also the environment variable PARVIS_<NAME>."""

    data: Path = Path("data")
    origin: str = "http://localhost:8000"
    handle_domain: str = ""
    bind: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    database_url: str = ""
    allow_networks: str = ""
    trusted_proxies: str = ""
    dev: bool = False
    jobs: bool = True
    city_name: str = "Parvis"
    city_description: str = ""
    contact_email: str = ""
    languages: str = "fr,en"
    smtp_url: str = ""
    mail_from: str = ""
    log_json: bool = False
    files_url: str = ""
    cache_megabytes: int = 2048
    translate_url: str = ""
    translate_key: str = ""
    registrations: str = "open"
    min_age: int = 0

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise BadSetting(f"The origin {self.origin!r} must be like https://social.example.org, without a path.")
        if self.dev and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise BadSetting(f"--dev opens doors that a city must keep shut: it refuses {self.origin}; use localhost.")
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise BadSetting(f"The origin {self.origin} must be https: only localhost may be served in plain http.")
        if self.files_url and urlsplit(self.files_url).scheme not in ("s3", "memory"):
            raise BadSetting("Files are kept in the data folder, or where an address like s3://bucket says.")
        if self.cache_megabytes < 100:
            raise BadSetting("The cache needs at least 100 megabytes: the largest file must fit in it.")
        if self.translate_url and urlsplit(self.translate_url).scheme not in ("http", "https"):
            raise BadSetting(f"The translation server {self.translate_url!r} must be like https://translate.example.org.")
        if self.registrations not in ("open", "approval", "invitation", "closed"):
            raise BadSetting("Registrations are open, approval, invitation or closed.")
        if not 0 <= self.min_age <= 100:
            raise BadSetting("The least age of whoever settles is a number of years, at most 100, or 0 for none.")
        for value in (self.allow_networks, self.trusted_proxies):
            networks(value)

    @property
    def base(self) -> str:
        """The origin without a slash at its end."""
        return self.origin.rstrip("/")

    @property
    def domain(self) -> str:
        """What follows the @ in a handle of this city, with the port when it is not the default."""
        return (self.handle_domain or urlsplit(self.origin).netloc).lower()

    @property
    def takes_anyone(self) -> bool:
        """May people come to settle whom nobody here has invited? A moderator may still have to let them in."""
        return self.registrations in ("open", "approval")

    @property
    def secrets(self) -> Path:
        """The one folder of keys and passwords."""
        return self.data / "secrets"

    @property
    def files(self) -> Path:
        """Where uploaded files are kept."""
        return self.data / "files"

    @property
    def cache(self) -> Path:
        """Where files of other servers stay for a while; it may be deleted at any time."""
        return self.data / "cache"

    @property
    def scratch(self) -> Path:
        """Where files are while they are taken in and worked on; nothing in it outlives its work."""
        return self.data / "scratch"

    @cached_property
    def proxy_key(self) -> bytes:
        """What seals the addresses of the proxy, read once."""
        return seal.kept(self.secrets, "proxy.key", lambda: secrets.token_bytes(32))

    @property
    def mails(self) -> Path:
        """Where letters go when no SMTP server is configured."""
        return self.data / "mails"


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of networks; a sentence when one is none."""
    try:
        return [ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise BadSetting(f"{error}: write networks like 10.0.0.0/8, separated by commas.") from error


def from_environment(environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """Settings from PARVIS_* variables, overruled by what the command line gave."""
    source = os.environ if environment is None else environment
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(Settings):
        text = source.get(PREFIX + field.name.upper())
        if text is not None:
            values[field.name] = Path(text) if field.name == "data" else text
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise BadSetting(f"A setting cannot be used: {error}.") from error


def to_environment(settings: Settings) -> dict[str, str]:
    """The same settings as variables, for a process this one starts."""
    return {PREFIX + name.upper(): str(value) for name, value in msgspec.structs.asdict(settings).items()}

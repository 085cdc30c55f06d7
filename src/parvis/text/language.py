"""Which language codes a post may carry, and what a dozen of them call themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ar": "العربية",
        "de": "Deutsch",
        "en": "English",
        "es": "Español",
        "fa": "فارسی",
        "fr": "Français",
        "it": "Italiano",
        "ja": "日本語",
        "nl": "Nederlands",
        "pl": "Polski",
        "pt": "Português",
        "ro": "Română",
        "ru": "Русский",
        "so": "Soomaali",
        "tr": "Türkçe",
        "uk": "Українська",
        "ur": "اردو",
        "vi": "Tiếng Việt",
        "zh": "中文",
    }
)

_CODE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?", re.ASCII)


def valid(code: str) -> str | None:
    """The code in its usual case (RFC 5646 §2.1.1); None unless it is a language, maybe a script, maybe a region."""
    match = _CODE.fullmatch(code.strip())
    if match is None:
        return None
    language, script, region = match.groups()
    parts = [language.lower(), script and script.title(), region and region.upper()]
    return "-".join(part for part in parts if part)

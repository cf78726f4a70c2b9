"""The texts of notices, in each language, from one catalogue of messages (GNU gettext's PO format)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from models import NoticeKind

MESSAGES = Path(__file__).with_name("messages")
LANGUAGES = ("en", "zh")

VARIANTS = ("REGISTRATION_KNOWN", "CONTACT_CHANGE_KNOWN")
"""Instead of a code: what somebody is told who has an account with the contact already."""

TITLE, BODY = "title", "body"


@cache
def load_catalogue(language: str) -> Mapping[str, str]:
    """Every message of one language, by its id."""
    with (MESSAGES / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {str(message.id): str(message.string) for message in catalogue if message.id}


def choose_language(*preferred: str | None) -> str:
    """The first language of which there are texts."""
    primaries = [(tag or "").partition("-")[0].lower() for tag in preferred]
    return next((primary for primary in primaries if primary in LANGUAGES), LANGUAGES[0])


def write_text(name: NoticeKind | str, language: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """Title and body of a notice; KeyError where a message or a fact is missing."""
    catalogue = load_catalogue(language)
    title, body = (catalogue[f"{name}.{part}"].format_map(facts) for part in (TITLE, BODY))
    return title, body

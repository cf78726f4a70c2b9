"""The texts of notices, in each language, from the catalogue of messages."""

from collections.abc import Mapping

from models import NoticeKind
from text.messages import choose_language, load_catalogue

VARIANTS = ("REGISTRATION_KNOWN", "CONTACT_CHANGE_KNOWN")
"""Instead of a code: what somebody is told who has an account with the contact already."""

TITLE, BODY = "title", "body"


def write_text(name: NoticeKind | str, language: str, facts: Mapping[str, str]) -> tuple[str, str]:
    """Title and body of a notice; KeyError where a message or a fact is missing."""
    catalogue = load_catalogue(choose_language(language))
    title, body = (catalogue[f"{name}.{part}"].format_map(facts) for part in (TITLE, BODY))
    return title, body

"""The catalogue of messages: one file of GNU gettext's PO format for each language.

A sentence has its English text as its id, and is translated in every other language. A notice, a status or a
pattern has a key such as "OrderStatus.PENDING", and a text in English, too.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.core import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

FOLDER = Path(__file__).parent
SOURCE_LANGUAGE = "en"
"""The language of the ids of sentences, which readers get whose own language the shop does not have."""

LANGUAGES = frozenset(path.stem for path in FOLDER.glob("*.po"))
"""The tags of the languages the shop has texts in."""


@cache
def load_catalogue(language: str) -> Mapping[str, str]:
    """Every message of one language of LANGUAGES, by its id; of one with a plural, its first form."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {first_form(each.id): first_form(each.string) for each in catalogue if each.id}


def first_form(text: str | Sequence[str] | None) -> str:
    """The text of a message, or the first form of one with a plural."""
    return text if isinstance(text, str) else next(iter(text or ("",)))


@cache
def load_translations(language: str) -> Translations:
    """The same catalogue, with the forms of plurals."""
    compiled = BytesIO()
    with (FOLDER / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def choose_language(*preferred: str | None) -> str:
    """The language of LANGUAGES for the first tag that has one: its own, or that of its primary tag."""
    candidates = (tag for each in preferred if each for tag in (each, each.partition("-")[0].lower()))
    return next((tag for tag in candidates if tag in LANGUAGES), SOURCE_LANGUAGE)


@cache
def locale_of(tag: str) -> Locale:
    """The rules of writing numbers and dates for a tag such as "zh-CN"; those of its language for others."""
    for name in (tag, choose_language(tag)):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(SOURCE_LANGUAGE)


def text_of_key(key: str, language: str) -> str | None:
    """The text of a key in one of LANGUAGES, else in English; None where there is none."""
    texts = (load_catalogue(each).get(key) for each in (language, SOURCE_LANGUAGE))
    return next((text for text in texts if text), None)

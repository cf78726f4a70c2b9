"""Messages to people: a template in English with facts, written in the language of who reads it."""

from text.messages.catalogue import LANGUAGES, choose_language, load_catalogue
from text.messages.facts import Fact
from text.messages.message import Alternatives, Capitalized, Localized, Message

__all__ = [
    "LANGUAGES",
    "Alternatives",
    "Capitalized",
    "Fact",
    "Localized",
    "Message",
    "choose_language",
    "load_catalogue",
]

"""Messages to people: a template in English with facts, written in the language of who reads it."""

from text.messages.catalogue import LANGUAGES, choose_language, load_catalogue
from text.messages.facts import Fact
from text.messages.message import Alternatives, Capitalized, Message

__all__ = ["LANGUAGES", "Alternatives", "Capitalized", "Fact", "Message", "choose_language", "load_catalogue"]

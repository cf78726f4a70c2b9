"""A message: what is said, apart from the language it is said in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from babel.lists import format_list

from text.messages.catalogue import SOURCE_LANGUAGE, choose_language, load_translations, locale_of
from text.messages.facts import Fact, format_fact


class Message:
    """A sentence or a term in English with places for facts: `Message("At most {limit} letters.", limit=5)`.

    `plural` is the sentence for any other number than one; the number is the fact `count`. The template is a
    literal, since the catalogue is looked up with it.
    """

    __slots__ = ("facts", "plural", "template")

    def __init__(self, template: str, /, *, plural: str = "", **facts: Fact) -> None:
        self.template = template
        self.plural = plural
        self.facts = facts

    def text(self, language: str, zone: tzinfo = UTC) -> str:
        """The message in a language, in English where it has no translation; moments are those of `zone`."""
        template = self.template_in(language)
        if not self.facts:
            return template
        return template.format_map(
            {name: format_fact(fact, language, zone) for name, fact in self.facts.items()}
        )

    def template_in(self, language: str) -> str:
        """The template in a language, in the form for `count`."""
        translations = load_translations(choose_language(language))
        count = self.facts.get("count")
        if self.plural and isinstance(count, int):
            return translations.ngettext(self.template, self.plural, count)
        return translations.gettext(self.template)

    def __str__(self) -> str:
        return self.text(SOURCE_LANGUAGE)

    def __repr__(self) -> str:
        return f"Message({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        """Whether both read the same in English; so does a plain text."""
        return str(self) == str(other) if isinstance(other, Message | str) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))


@dataclass(frozen=True, slots=True)
class Capitalized:
    """A message as the beginning of a sentence."""

    message: Message

    def text(self, language: str, zone: tzinfo = UTC) -> str:
        text = self.message.text(language, zone)
        return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Several things of which one is meant: "navy or midnight"."""

    choices: Sequence[Fact]

    def text(self, language: str, zone: tzinfo = UTC) -> str:
        written = [format_fact(each, language, zone) for each in self.choices]
        return format_list(written, style="or", locale=locale_of(language))

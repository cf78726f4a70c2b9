"""A message: what is said, apart from the language it is said in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Localized:
    """A text of the shop's data: a title, with its translations by language tag."""

    original: str
    translations: Mapping[str, str] = field(default_factory=dict)

    def text(self, language: str, zone: tzinfo = UTC) -> str:
        """The text in a language, else in another region's form of it, else the original."""
        primary = language.partition("-")[0]
        others = (tag for tag in sorted(self.translations) if tag.partition("-")[0].lower() == primary)
        texts = (self.translations.get(tag) for tag in (language, primary, *others))
        return next((text for text in texts if text), self.original)

    def __str__(self) -> str:
        return self.original

    @classmethod
    def of(cls, original: str, translations: Mapping[str, Mapping[str, str]], name: str) -> "Localized":
        """The text named `name` of a row with translations of several texts."""
        return cls(original, {tag: texts[name] for tag, texts in translations.items() if texts.get(name)})

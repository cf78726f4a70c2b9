"""A message: what is said, apart from the language it is said in."""

from datetime import UTC, tzinfo

from text.messages.catalogue import SOURCE_LANGUAGE, choose_language, load_translations
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
        return isinstance(other, Message) and (self.template, self.plural, self.facts) == (
            other.template,
            other.plural,
            other.facts,
        )

    def __hash__(self) -> int:
        return hash((self.template, self.plural, *self.facts.items()))

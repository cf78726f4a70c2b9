"""In which of its languages an article is shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models import Article
from resolvers.context import Info
from text.question import asks_in_chinese


@dataclass(frozen=True, slots=True)
class ReadLanguage:
    """The language that somebody reads: the one they name, else that of their question."""

    named: str | None
    is_chinese: bool
    """Whether the question is Chinese."""
    is_known: bool = True

    @classmethod
    def of(cls, text: str, meant: str, named: str | None) -> "ReadLanguage":
        """That of a question as it was typed, and as it was meant."""
        has_letters = any(letter.isalpha() for letter in text)
        return cls(named, asks_in_chinese(text, meant), bool(named) or has_letters)

    def has(self, article: Article) -> bool:
        """Whether an article is in this language, of whatever region."""
        language = primary_of(article.language)
        if not self.is_known:
            return True
        if self.named:
            return language == primary_of(self.named)
        return (language == "zh") is self.is_chinese


def primary_of(tag: str) -> str:
    """The language of a tag without its region."""
    return tag.partition("-")[0].strip().lower()


async def show_in_languages(
    info: Info,
    found: Sequence[Sequence[Article]],
    languages: Sequence[ReadLanguage],
    may_show: Callable[[Article], bool],
) -> list[list[Article]]:
    """The articles found for each question, each in the language of its reader where it has such a text."""
    pairs = list(zip(found, languages, strict=True))
    others = {
        article.original_id or article.id
        for articles, language in pairs
        for article in articles
        if not language.has(article)
    }
    load, first_ids = info.context.load, sorted(others)
    groups = await load.article_translations.load_many(first_ids)
    originals = await load.article.load_many(first_ids)
    known = {
        first_id: [each for each in (original, *group) if each and may_show(each)]
        for first_id, original, group in zip(first_ids, originals, groups, strict=True)
    }
    return [
        [
            next(filter(language.has, [article, *known.get(article.original_id or article.id, ())]), article)
            for article in articles
        ]
        for articles, language in pairs
    ]

"""Asks the demo shop 192 paraphrased questions, in Chinese, English and both, and 40 that no article answers.

Prints how often the article that answers is the first suggestion or among the first three, how often "nothing
fits" is said rightly and wrongly, each for the half that the search was tuned with and for the one that was
held back; and how long a question takes. With the extra `meaning` and without it. Articles are those of
demo/content/articles, the questions stand in bench/kb_questions. Exits with 1 below the aims.
"""

import asyncio
import time
import tomllib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.arguments import read_arguments
from demo.content import read_content
from gateways.meaning import MeaningIndex, connect_meaning
from gateways.search import EmbeddedIndex, IndexDocument, SearchIndex
from loaders.knowledge import ArticleSearch, find_candidates
from loaders.search import ARTICLE_LAYOUT
from loaders.search.answers import fuse_candidates
from loaders.search.article_documents import document_of, sentences_of
from models import Article, ArticleAudience, ArticleStatus
from settings import Settings

QUESTIONS = Path(__file__).parent / "kb_questions"
AIMS = {True: (0.80, 0.95), False: (0.70, 0.88)}
"""The first suggestion and the first three, with a model of meaning and without."""

SLOWEST_MS = 40.0

QUESTIONS_EACH = 6
"""Questions for each article."""


@dataclass(slots=True)
class Figures:
    """What came out for some questions."""

    asked: int = 0
    first: int = 0
    first_three: int = 0
    nothing: int = 0
    seconds: list[float] = field(default_factory=list)

    def share(self, count: int) -> float:
        return count / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class Base:
    """The articles of the demo shop, as they are searched."""

    rows: dict[int, Article]
    groups: dict[int, str]
    synonyms: Sequence[Sequence[str]]
    index: SearchIndex


async def open_base() -> Base:
    content, rows, groups, ids = read_content(), {}, {}, {}
    for number, each in enumerate(sorted(content.articles, key=lambda one: one.translates is not None), 1):
        ids[each.slug] = number
        rows[number] = Article(
            id=number,
            slug=each.slug,
            status=ArticleStatus.PUBLISHED,
            language=each.language,
            category=each.category,
            tags=list(each.tags),
            title=each.title,
            body=each.body,
            audience=each.audience,
            questions=list(each.questions),
            original_id=ids[each.translates] if each.translates else None,
        )
        groups[number] = each.translates or each.slug
    index = EmbeddedIndex(ARTICLE_LAYOUT)

    async def documents() -> AsyncIterator[Sequence[IndexDocument]]:
        yield [document_of(row) for row in rows.values()]

    await index.build(documents(), position="")
    visible = {id: row for id, row in rows.items() if row.audience is ArticleAudience.PUBLIC}
    return Base(visible, groups, content.synonyms, index)


async def ask(base: Base, meaning: MeaningIndex | None, question: str) -> tuple[list[str], float]:
    """The answers to a question by the names of their groups, and the seconds it took."""
    started = time.perf_counter()
    (found,) = await find_candidates(ArticleSearch(base.index, base.synonyms, meaning), [question])
    answers = fuse_candidates(found, base.rows)
    return [base.groups[row.id] for row in answers], time.perf_counter() - started


async def measure(base: Base, meaning: MeaningIndex | None, *, each: int) -> bool:
    answered = tomllib.loads((QUESTIONS / "answered.toml").read_text("utf-8"))["questions"]
    unanswered = tomllib.loads((QUESTIONS / "unanswered.toml").read_text("utf-8"))["questions"]
    halves = {"tuned": Figures(), "held back": Figures()}
    strangers = {"tuned": Figures(), "held back": Figures()}
    for name, questions in answered.items():
        group = group_of(base, name)
        for place, question in enumerate(questions[:each]):
            figures = halves["held back" if place % 2 else "tuned"]
            found, seconds = await ask(base, meaning, question)
            figures.asked += 1
            figures.first += found[:1] == [group]
            figures.first_three += group in found[:3]
            figures.nothing += not found
            figures.seconds.append(seconds)
    for place, question in enumerate(unanswered):
        figures = strangers["held back" if place % 2 else "tuned"]
        found, seconds = await ask(base, meaning, question)
        figures.asked, figures.nothing = figures.asked + 1, figures.nothing + (not found)
        figures.seconds.append(seconds)
    print("with the meaning of sentences:" if meaning else "by words only:")
    for half, figures in halves.items():
        print(
            f"  {half}: {figures.asked} questions, first {figures.share(figures.first):.1%},"
            f" first three {figures.share(figures.first_three):.1%},"
            f" nothing fits, wrongly {figures.share(figures.nothing):.1%}"
        )
    for half, figures in strangers.items():
        print(f"  {half}: {figures.asked} unanswered, nothing fits {figures.share(figures.nothing):.1%}")
    times = sorted(one for some in (*halves.values(), *strangers.values()) for one in some.seconds)
    slowest = times[min(int(len(times) * 0.99), len(times) - 1)] * 1000
    print(f"  a question: median {times[len(times) // 2] * 1000:.1f} ms, p99 {slowest:.1f} ms")
    held, (first, three) = halves["held back"], AIMS[meaning is not None]
    good = held.share(held.first) >= first and held.share(held.first_three) >= three
    return good and slowest <= SLOWEST_MS


def group_of(base: Base, slug: str) -> str:
    """The name of the group of an article."""
    return next(base.groups[id] for id, row in base.rows.items() if row.slug == slug)


async def run(*, each: int = QUESTIONS_EACH, with_meaning: bool = True) -> bool:
    base = await open_base()
    good = await measure(base, None, each=each)
    settings = Settings.from_environment(env_file=None, secret_key="only for a bench, never for a shop")
    meaning = connect_meaning(settings) if with_meaning else None
    if meaning is None:
        return good
    started = time.perf_counter()
    await meaning.write({id: sentences_of(row) for id, row in base.rows.items()}, ())
    print(f"the meaning of all sentences took {time.perf_counter() - started:.1f} s")
    return await measure(base, meaning, each=each) and good


def main() -> int:
    read_arguments(__doc__)
    return 0 if asyncio.run(run()) else 1


if __name__ == "__main__":
    raise SystemExit(main())

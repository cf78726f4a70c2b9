"""The text of an article, and what is wrong in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import Invalid, collect_refusals
from models import ArticleAudience

TITLE_LIMIT = 200
BODY_LIMIT = 100_000
CATEGORY_LIMIT = 100
TAGS_LIMIT = 20
TAG_LIMIT = 50
QUESTIONS_LIMIT = 30
QUESTION_LIMIT = 200
SLUG_LIMIT = 100
BRACKETS_LIMIT = 2_000
"""Opening brackets in a body: Markdown compares each with all that follow."""

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class ArticleText:
    """All that an author writes in an article."""

    slug: str
    language: str
    category: str
    tags: tuple[str, ...]
    title: str
    body: str
    audience: ArticleAudience | None = None
    """None: as it is, PUBLIC for a new one."""
    original_id: int | None = None
    """The article that it translates; None: as it is."""
    questions: tuple[str, ...] | None = None
    """Other ways to ask what it answers; None: as they are."""


def check_article_text(text: ArticleText) -> None:
    """Raise Invalid for every part that is wrong."""
    with collect_refusals() as check:
        if not SLUG.fullmatch(text.slug) or len(text.slug) > SLUG_LIMIT:
            check.add(
                Invalid(
                    "A slug is made of small letters, digits and hyphens, at most {limit}.",
                    limit=SLUG_LIMIT,
                    field=("slug",),
                )
            )
        if not LANGUAGE.fullmatch(text.language):
            check.add(Invalid('A language is a tag such as "zh-CN".', field=("language",)))
        for field, value, limit in (
            ("category", text.category, CATEGORY_LIMIT),
            ("title", text.title, TITLE_LIMIT),
            ("body", text.body, BODY_LIMIT),
        ):
            if not 1 <= len(value.strip()) <= limit:
                check.add(Invalid("Write 1 to {limit} characters.", limit=limit, field=(field,)))
        if text.body.count("[") > BRACKETS_LIMIT:
            template = "A text has at most {limit} opening brackets."
            check.add(Invalid(template, limit=BRACKETS_LIMIT, field=("body",)))
        if len(text.tags) > TAGS_LIMIT or any(not 1 <= len(tag.strip()) <= TAG_LIMIT for tag in text.tags):
            check.add(
                Invalid(
                    "At most {tags} tags of 1 to {limit} characters.",
                    tags=TAGS_LIMIT,
                    limit=TAG_LIMIT,
                    field=("tags",),
                )
            )


def check_questions(questions: Sequence[str]) -> None:
    if len(questions) > QUESTIONS_LIMIT or any(
        not 1 <= len(each.strip()) <= QUESTION_LIMIT for each in questions
    ):
        raise Invalid(
            "At most {questions} questions of 1 to {limit} characters.",
            questions=QUESTIONS_LIMIT,
            limit=QUESTION_LIMIT,
            field=("questions",),
        )


def clean_tags(tags: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tag.strip() for tag in tags))

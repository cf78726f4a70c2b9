"""The documents of articles."""

import asyncio
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateways.meaning import ArticleSentences
from gateways.search import IndexDocument
from loaders.search.fields import (
    AUDIENCE,
    CATEGORY,
    DESCRIPTION,
    IS_LISTED,
    KEYWORDS,
    LANGUAGE,
    LISTED,
    OTHER_HAN,
    PINYIN,
    QUESTIONS,
    QUESTIONS_HAN,
    STATUS,
    TAG,
    TITLE,
    TITLE_HAN,
    words_of,
)
from models import Article
from text import han_characters, pinyin_terms, split_terms
from text.pinyin import written_pinyin
from text.question import question_words, subject_mark

BODY_TERMS_LIMIT = 20_000
"""Terms of a body that are indexed."""

INLINE_CHARACTERS = 20_000
"""Characters that are analyzed without another thread."""


async def load_article_documents(session: AsyncSession, article_ids: Collection[int]) -> list[IndexDocument]:
    """The documents of these articles; those that are no more are left out."""
    statement = select(Article).where(Article.id.in_(article_ids)).order_by(Article.id)
    articles = (await session.scalars(statement)).all()

    def analyze() -> list[IndexDocument]:
        return [document_of(article) for article in articles]

    is_short = sum(len(article.body) for article in articles) <= INLINE_CHARACTERS
    return analyze() if is_short else await asyncio.to_thread(analyze)


def document_of(article: Article) -> IndexDocument:
    keywords = [article.category, *article.tags]
    texts = {
        TITLE: split_terms([article.title]),
        KEYWORDS: split_terms(keywords),
        DESCRIPTION: split_terms([article.body])[:BODY_TERMS_LIMIT],
        PINYIN: pinyin_terms([article.title, *keywords]),
        QUESTIONS: split_terms(article.questions),
        QUESTIONS_HAN: han_characters(article.questions),
        TITLE_HAN: han_characters([article.title]),
        OTHER_HAN: han_characters([*keywords, article.body])[:BODY_TERMS_LIMIT],
    }
    subject = [article.title, *keywords, *article.questions]
    written = list(dict.fromkeys(written_pinyin([article.title, *keywords])))
    marks = [subject_mark(word) for text in subject for word in question_words(text)]
    marks += [each[: each.rindex("=") + 1] for each in written]
    words = words_of(texts)
    return IndexDocument(
        id=article.id,
        texts={name: " ".join(terms) for name, terms in texts.items()},
        keywords=keywords_of(article),
        words=[*words, *dict.fromkeys(marks)],
        typed=[*words, *written],
    )


def keywords_of(article: Article) -> dict[str, Sequence[str]]:
    """The values by which an article is filtered."""
    return {
        STATUS: (article.status.value,),
        CATEGORY: (article.category,),
        TAG: article.tags,
        LANGUAGE: (article.language,),
        AUDIENCE: (article.audience.value,),
        LISTED: () if article.archived_at else (IS_LISTED,),
    }


def sentences_of(article: Article) -> ArticleSentences:
    """The title and the further questions of an article, whose meaning is compared with that of questions."""
    return ArticleSentences([article.title, *article.questions], keywords_of(article))

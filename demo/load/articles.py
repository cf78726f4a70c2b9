"""Loading the articles of the knowledge base."""

from datetime import timedelta

from sqlalchemy import select

from demo.content import Content
from domain.cause import Cause
from domain.knowledge import ArticleCare, ArticleText, add_article, publish_article, set_article_care
from domain.knowledge.synonym import save_synonyms
from events.shop import Shop
from models import Account, Role

REVIEWED_AFTER = timedelta(days=180)


async def load_articles(shop: Shop, content: Content) -> None:
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        author = await session.scalar(select(Account.id).where(Account.role == Role.SUPPORT))
        ids: dict[str, int] = {}
        # what others translate comes first
        for article in sorted(content.articles, key=lambda each: each.translates is not None):
            text = ArticleText(
                article.slug,
                article.language,
                article.category,
                article.tags,
                article.title,
                article.body,
                article.audience,
                ids[article.translates] if article.translates else None,
                article.questions,
            )
            row = await add_article(session, text, cause=Cause(now, author))
            ids[article.slug] = row.id
            await publish_article(session, row.id, cause=Cause(now))
            if author is not None:
                await set_article_care(session, row.id, ArticleCare(author, now + REVIEWED_AFTER))
        for words in content.synonyms:
            await save_synonyms(session, None, words, version=None, cause=Cause(now, author))

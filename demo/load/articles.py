"""Loading the articles of the knowledge base."""

from sqlalchemy import select

from demo.content import Content
from domain.cause import Cause
from domain.knowledge import ArticleText, add_article, publish_article
from events.shop import Shop
from models import Account, Role


async def load_articles(shop: Shop, content: Content) -> None:
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        author = await session.scalar(select(Account.id).where(Account.role == Role.SUPPORT))
        for article in content.articles:
            text = ArticleText(
                article.slug, article.language, article.category, article.tags, article.title, article.body
            )
            row = await add_article(session, text, cause=Cause(now, author))
            await publish_article(session, row.id, cause=Cause(now))

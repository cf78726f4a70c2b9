"""The knowledge base."""

from sqlalchemy import select

from demo.content import Content
from domain.knowledge import Writing, publish_article, write_article
from events.shop import Shop
from models import Account, Role


async def load_help(shop: Shop, content: Content) -> None:
    now = shop.clock()
    async with shop.database.writes.begin() as session:
        author = await session.scalar(select(Account.id).where(Account.role == Role.SUPPORT))
        for each in content.articles:
            writing = Writing(each.slug, each.language, each.category, each.tags, each.title, each.body)
            article = await write_article(session, writing, now=now, by=author)
            await publish_article(session, article.id, now=now)

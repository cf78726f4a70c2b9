"""Loading an edition, and what the shop then has."""

from sqlalchemy import select

from domain.catalog.taxonomy.standard import Taxonomy, TaxonomyLoadResult, load_taxonomy
from models import Category
from models.database import Database


async def load_edition(
    database: Database, taxonomy: Taxonomy, *, language: str = "zh-CN"
) -> TaxonomyLoadResult:
    async with database.writes.begin() as session:
        return await load_taxonomy(session, taxonomy, language=language)


async def find_category(database: Database, taxonomy_id: str) -> Category:
    async with database.reads() as session:
        return (await session.scalars(select(Category).where(Category.taxonomy_id == taxonomy_id))).one()

from collections.abc import Sequence

from sqlalchemy import select

from models import UrgentTerm, select_terms_now
from models.database import Reads

VERSIONS_LIMIT = 500
"""Versions of words that are shown at once; as many words make a ticket urgent."""


async def load_term_versions(reads: Reads, *, history: bool) -> Sequence[UrgentTerm]:
    """The urgent words, the strongest first, or with all earlier versions, the newest first."""
    async with reads() as session:
        statement = (
            select(UrgentTerm).order_by(UrgentTerm.id.desc())
            if history
            else select_terms_now().order_by(UrgentTerm.hours.desc(), UrgentTerm.language, UrgentTerm.term)
        )
        rows = await session.scalars(statement.limit(VERSIONS_LIMIT))
        return rows.all()

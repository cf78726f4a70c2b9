"""The urgent words of now, read again only when one has changed."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.urgent_terms.finding import UrgentTerms
from models import UrgentTerm, select_terms_now

KNOWN_TERMS_KEY = "known_urgent_terms"
"""The name in `session.info` of what this process knows of them."""


@dataclass(slots=True)
class KnownUrgentTerms:
    """The words that a process has read last."""

    terms: UrgentTerms | None = None


async def load_urgent_terms(session: AsyncSession) -> UrgentTerms:
    """The words that make a ticket urgent now: one statement, another one only where they have changed."""
    edition = await session.scalar(select(func.max(UrgentTerm.edition)))
    known: KnownUrgentTerms = session.info.get(KNOWN_TERMS_KEY) or KnownUrgentTerms()
    if known.terms is None or known.terms.edition != edition:
        known.terms = UrgentTerms.of(await session.scalars(select_terms_now()))
    return known.terms

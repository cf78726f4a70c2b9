"""Words of customers that make a ticket urgent: kept in versions by clerks, and found in texts."""

from domain.aftersales.urgent_terms.finding import UrgentTerms, find_urgent_terms
from domain.aftersales.urgent_terms.loading import KNOWN_TERMS_KEY, KnownUrgentTerms, load_urgent_terms
from domain.aftersales.urgent_terms.versions import UrgentTermDraft, save_urgent_term

__all__ = [
    "KNOWN_TERMS_KEY",
    "KnownUrgentTerms",
    "UrgentTermDraft",
    "UrgentTerms",
    "find_urgent_terms",
    "load_urgent_terms",
    "save_urgent_term",
]

"""Words of customers that make a ticket urgent."""

from datetime import datetime

import strawberry

import models
from resolvers import aftersales as resolve
from resolvers.guard import Permission
from schema.account import Account
from schema.limits.sizes import FEW, MANY
from schema.mutation import mutation
from schema.rows import field, loaded, plain_list, row_type


@row_type(models.UrgentTerm)
class UrgentTerm:
    """One version of a word of customers that makes a ticket urgent; it never changes."""

    language: str
    """Of which language it is; texts are searched for the words of all."""
    word: str
    """The word; it is found in its other spellings and English forms, too."""
    hours: int
    """How many hours earlier a ticket with it is attended to; 0: it makes tickets urgent no more."""
    exceptions: list[str] = plain_list(size=FEW)
    """Longer expressions with the word in which it says something else."""
    version: int
    """One higher with each version; pass it back when you save."""
    author: Account | None = loaded("account", key="author_id")
    """Who has written this version; null for that of a new shop."""
    created_at: datetime
    """Since when it counts."""


@strawberry.type
class UrgentTermQuery:
    urgent_terms: list[UrgentTerm] = field(resolve.urgent_terms, allow=Permission.TICKET_HANDLE, size=MANY)


@strawberry.type
class UrgentTermMutation:
    urgent_term_save = mutation(resolve.urgent_term_save, returns=UrgentTerm, allow=Permission.TICKET_DECIDE)

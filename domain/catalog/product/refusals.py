"""Refusals of drafts, all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.catalog.product.drafts import ProductDraft
from domain.errors import DomainError, ErrorCode
from text.messages import Capitalized, Message


class DraftPart(StrEnum):
    """The part of a draft a refusal is about; an import names the column of the file by it."""

    SLUG = "SLUG"
    CATEGORY = "CATEGORY"
    ATTRIBUTE = "ATTRIBUTE"
    SKU = "SKU"
    STOCK = "STOCK"


@dataclass(frozen=True, slots=True)
class DraftRefusal:
    """One thing that is wrong with one draft."""

    draft: ProductDraft
    part: DraftPart
    reason: Message
    """What is wrong, without a full stop."""
    field: tuple[str | int, ...] = ()
    """The path of the field in a form."""
    key: str = ""
    """The code of the attribute or warehouse."""
    code: ErrorCode = ErrorCode.INVALID


class DraftRefused(DomainError):
    """Nothing has been saved; as an error it is its first refusal."""

    def __init__(self, refusals: Sequence[DraftRefusal]) -> None:
        first = refusals[0]
        super().__init__("{reason}.", reason=Capitalized(first.reason), field=first.field)
        self.code = first.code
        self.refusals = tuple(refusals)

    @property
    def each(self) -> tuple[DomainError, ...]:
        return tuple(DraftRefused([refusal]) for refusal in self.refusals)

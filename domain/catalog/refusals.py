"""Why drafts cannot be saved: all reasons at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.catalog.drafts import ProductDraft
from domain.errors import DomainError, ErrorCode


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong with one draft; `column` is what a file calls it, `field` what a form does."""

    draft: ProductDraft
    column: str
    reason: str
    field: tuple[str | int, ...] = ()
    code: ErrorCode = ErrorCode.INVALID


class Refused(DomainError):
    """Nothing has been saved; the error is the first refusal."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first = refusals[0]
        super().__init__(f"{first.reason[0].upper()}{first.reason[1:]}.", field=first.field)
        self.code = first.code
        self.refusals = tuple(refusals)

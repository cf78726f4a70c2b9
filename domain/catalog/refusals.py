"""Why drafts cannot be saved: all reasons at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.catalog.drafts import ProductDraft
from domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong with one draft; `column` is what a file calls it, `field` what a form does."""

    draft: ProductDraft
    column: str
    reason: str
    field: tuple[str | int, ...] = ()


class Refused(Invalid):
    """Nothing has been saved."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        first = refusals[0]
        super().__init__(first.reason, field=first.field)
        self.refusals = tuple(refusals)

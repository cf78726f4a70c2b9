"""Refusals that only placing an order knows."""

from domain.errors import DomainError, ErrorCode
from domain.money import money_text
from models import Money, PaymentMethod

Path = tuple[str | int, ...]


class AmountMismatch(DomainError):
    code = ErrorCode.AMOUNT_MISMATCH

    def __init__(self, *, due: Money, given: Money, field: Path) -> None:
        difference = due - given
        problem = "is missing" if difference.minor > 0 else "is too much"
        absolute = -difference if difference.minor < 0 else difference
        super().__init__(
            f"{money_text(due)} is due, not {money_text(given)}: {money_text(absolute)} {problem}.",
            field=field,
        )


class NotOffered(DomainError):
    code = ErrorCode.INVALID

    def __init__(self, method: PaymentMethod, *, field: Path) -> None:
        super().__init__(f"{method.value} is not offered here.", field=field)


class ExclusionNotConfirmed(DomainError):
    """Something cannot be returned without a reason, and the buyer has not confirmed to know it."""

    code = ErrorCode.CONFIRMATION_REQUIRED

    def __init__(self, name: str) -> None:
        template = "{name} cannot be returned without a reason: please confirm that."
        super().__init__(template, name=name, field=("confirmed_exclusions",))

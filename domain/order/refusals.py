"""How an order is refused, in words of its own."""

from domain.errors import DomainError, ErrorCode
from domain.money import words
from models import Money, PaymentMethod

Path = tuple[str | int, ...]


class AmountMismatch(DomainError):
    code = ErrorCode.AMOUNT_MISMATCH

    def __init__(self, *, due: Money, given: Money, field: Path) -> None:
        difference = due - given
        way = "is missing" if difference.minor > 0 else "is too much"
        super().__init__(
            f"{words(due)} is due, not {words(given)}: {words(abs_of(difference))} {way}.", field=field
        )


class NotOffered(DomainError):
    code = ErrorCode.INVALID

    def __init__(self, method: PaymentMethod, *, field: Path) -> None:
        super().__init__(f"{method.value} is not offered here.", field=field)


def abs_of(amount: Money) -> Money:
    return -amount if amount.minor < 0 else amount

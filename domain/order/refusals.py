"""Refusals that only placing an order knows."""

from domain.errors import DomainError, ErrorCode
from models import Money, OrderLine, PaymentMethod
from text.messages import Localized

Path = tuple[str | int, ...]


def label_of_line(line: OrderLine) -> Localized:
    """What refusals call what was ordered, in the language of who reads them."""
    return Localized.of(line.title, line.translations or {}, "title")


class AmountMismatch(DomainError):
    code = ErrorCode.AMOUNT_MISMATCH

    def __init__(self, *, due: Money, given: Money, field: Path) -> None:
        difference = due - given
        template = (
            "{due} is due, not {given}: {difference} is missing."
            if difference.minor > 0
            else "{due} is due, not {given}: {difference} is too much."
        )
        absolute = -difference if difference.minor < 0 else difference
        super().__init__(template, due=due, given=given, difference=absolute, field=field)


class EditTotalMismatch(DomainError):
    """The total an edit was asked for with is not the one the order comes to; a part of it may be paid."""

    code = ErrorCode.AMOUNT_MISMATCH

    def __init__(self, *, total: Money, given: Money) -> None:
        template = "With this change the order comes to {total} in all, not {given}."
        super().__init__(template, total=total, given=given, field=("expected_total",))


class NotOffered(DomainError):
    code = ErrorCode.INVALID

    def __init__(self, method: PaymentMethod, *, field: Path) -> None:
        super().__init__("{method} is not offered here.", method=method.value, field=field)


class ExclusionNotConfirmed(DomainError):
    """Something cannot be returned without a reason, and the buyer has not confirmed to know it."""

    code = ErrorCode.CONFIRMATION_REQUIRED

    def __init__(self, name: Localized) -> None:
        template = "{name} cannot be returned without a reason: please confirm that."
        super().__init__(template, name=name, field=("confirmed_exclusions",))

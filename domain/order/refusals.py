"""Refusals that only placing an order knows."""

from domain.errors import DomainError, ErrorCode
from models import Money, PaymentMethod

Path = tuple[str | int, ...]


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


class NotOffered(DomainError):
    code = ErrorCode.INVALID

    def __init__(self, method: PaymentMethod, *, field: Path) -> None:
        super().__init__("{method} is not offered here.", method=method.value, field=field)


class ExclusionNotConfirmed(DomainError):
    """Something cannot be returned without a reason, and the buyer has not confirmed to know it."""

    code = ErrorCode.CONFIRMATION_REQUIRED

    def __init__(self, name: str) -> None:
        template = "{name} cannot be returned without a reason: please confirm that."
        super().__init__(template, name=name, field=("confirmed_exclusions",))

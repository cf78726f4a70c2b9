"""The shop's refusals as clients see them."""

from strawberry.utils.str_converters import to_camel_case

from domain.errors import DomainError, ErrorCode
from gateways.hashing import HashingBusy

__all__ = ["REFUSALS", "DomainError", "ErrorCode", "path_of", "refusal_of"]

REFUSALS = (DomainError, HashingBusy)
"""What a resolver raises to refuse, as opposed to failing."""


class TooManyHashes(DomainError):
    """Passwords are hashed one after the other, and too many wait."""

    code = ErrorCode.BUSY

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("Too many people are signing in just now. Please try again in a moment.")
        self.retry_after_seconds = retry_after_seconds


def refusal_of(error: Exception) -> DomainError:
    """The refusal that one of REFUSALS is to a client."""
    if isinstance(error, DomainError):
        return error
    return TooManyHashes(getattr(error, "retry_after_seconds", 1.0))


def path_of(error: DomainError) -> list[str]:
    """The path of the argument a refusal is about, as clients spell it."""
    return [to_camel_case(str(part)) for part in error.field]

"""The shop's refusals as clients see them."""

from strawberry.utils.str_converters import to_camel_case

from domain.errors import DomainError, ErrorCode

__all__ = ["DomainError", "ErrorCode", "path_of"]


def path_of(error: DomainError) -> list[str]:
    """The path of the argument a refusal is about, as clients spell it."""
    return [to_camel_case(str(part)) for part in error.field]

"""Why an operation is not executed: it is too large or costs too much, or the bucket is empty."""

import math

from graphql import GraphQLError

TOO_LARGE = "OPERATION_TOO_LARGE"
TOO_COSTLY = "OPERATION_TOO_COSTLY"
RATE_LIMITED = "RATE_LIMITED"


class OperationRefused(GraphQLError):
    """An operation that was refused before anything of it was executed.

    `status` is the one of the response over HTTP; `retry_after` are the seconds after which the same
    operation would be executed, where time helps.
    """

    def __init__(
        self, message: str, *, code: str, status: int = 400, retry_after: float | None = None
    ) -> None:
        self.code = code
        self.status = status
        self.retry_after = None if retry_after is None else max(math.ceil(retry_after), 1)
        wait = {} if self.retry_after is None else {"retryAfterSeconds": self.retry_after}
        super().__init__(message, extensions={"code": code, **wait})


def refuse_size(what: str, limit: int) -> OperationRefused:
    """The refusal of an operation that has more of something than `limit`."""
    return OperationRefused(f"The operation has more than {limit} {what}.", code=TOO_LARGE)


def refuse_nested_types() -> OperationRefused:
    """The refusal of an introspection that could go from type to type without end."""
    message = "An introspection may list the fields or types of a type, and no such lists within each other."
    return OperationRefused(message, code=TOO_LARGE)

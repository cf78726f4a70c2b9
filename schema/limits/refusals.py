"""Why an operation is not executed: it is too large or costs too much, or the bucket is empty."""

import math

from resolvers.errors import Message, SentenceError

TOO_LARGE = "OPERATION_TOO_LARGE"
TOO_COSTLY = "OPERATION_TOO_COSTLY"
RATE_LIMITED = "RATE_LIMITED"


class OperationRefused(SentenceError):
    """An operation that was refused before anything of it was executed.

    `status` is the one of the response over HTTP; `retry_after` are the seconds after which the same
    operation would be executed, where time helps.
    """

    def __init__(
        self, sentence: Message, *, code: str, status: int = 400, retry_after: float | None = None
    ) -> None:
        self.code = code
        self.status = status
        self.retry_after = None if retry_after is None else max(math.ceil(retry_after), 1)
        wait = {} if self.retry_after is None else {"retryAfterSeconds": self.retry_after}
        super().__init__(sentence, extensions={"code": code, **wait})


def refuse_size(what: Message, limit: int) -> OperationRefused:
    """The refusal of an operation that has more of something than `limit`."""
    sentence = Message("The operation has more than {limit} {what}.", limit=limit, what=what)
    return OperationRefused(sentence, code=TOO_LARGE)


def refuse_nested_types() -> OperationRefused:
    """The refusal of an introspection that could go from type to type without end."""
    sentence = Message(
        "An introspection may list the fields or types of a type, and no such lists within each other."
    )
    return OperationRefused(sentence, code=TOO_LARGE)

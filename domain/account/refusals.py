"""What the shop answers to wrong passwords, codes and tokens."""

from domain.errors import DomainError, ErrorCode
from text.messages import Message


class WrongCredentials(DomainError):
    code = ErrorCode.CREDENTIALS_REFUSED

    def __init__(
        self,
        template: str | Message = Message("These are not the right name and password."),
        /,
        *,
        field: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(template, field=field)


class SignedOut(WrongCredentials):
    def __init__(self) -> None:
        super().__init__("You have been signed out. Please sign in again.")

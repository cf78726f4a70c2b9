"""Sending notices: e-mail by SMTP, SMS and push by a webhook, everything to the log in development."""

from dataclasses import dataclass
from typing import Protocol

from models import NoticeChannel, NoticeKind


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """A notice as a person reads it."""

    id: str
    """The same for each attempt, so that whoever takes it twice can see that it is one."""
    kind: NoticeKind
    channel: NoticeChannel
    recipient: str
    """An e-mail address, a phone number in E.164 or a device token."""
    language: str
    title: str
    body: str


class NoticeUnavailable(Exception):
    """It was not taken, and may be later. The message names no recipient."""


class NoticeRefused(Exception):
    """It will never be taken. The message names no recipient."""

    def __init__(self, reason: str, *, recipient_gone: bool = False) -> None:
        super().__init__(reason)
        self.recipient_gone = recipient_gone
        """The recipient does not exist any more, such as the token of an app that was removed."""


class NoticeGateway(Protocol):
    """Sends messages of one or more channels."""

    async def send(self, message: NoticeMessage) -> None:
        """Hand a message over, again after a failure. Raises NoticeUnavailable or NoticeRefused."""

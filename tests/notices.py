"""Notices under test: a gateway of ours that keeps them, and the codes in them."""

import re
from dataclasses import dataclass, field

from events.notices.sender import NoticeSender
from events.shop import Shop
from gateways.notice import NoticeMessage
from models import NoticeChannel, NoticeKind

REGISTER = """mutation($input: AccountRegisterInput!) { accountRegister(input: $input) {
  verification { token expiresAt } userErrors { code field } } }"""
CONFIRM = """mutation($input: RegistrationConfirmInput!) { registrationConfirm(input: $input) {
  session { accessToken refreshToken expiresAt account { id name email phone role } }
  userErrors { code field } } }"""

CODE = re.compile(r"\b\d{6}\b")
SECRET = re.compile(r"[!-~]{60,}")


@dataclass
class KeptNotices:
    """Takes every message, or raises what it is told to."""

    messages: list[NoticeMessage] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    """Raised one after the other, before anything is taken."""

    async def send(self, message: NoticeMessage) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.messages.append(message)


async def send_notices(shop: Shop, gateway: KeptNotices | None = None) -> list[NoticeMessage]:
    """Send all that is due, and return what was taken."""
    gateway = gateway or KeptNotices()
    shop.notices = dict.fromkeys(NoticeChannel, gateway)
    sender = NoticeSender(shop)
    shop.on_commit.pop()
    before = len(gateway.messages)
    while await sender.run_once():
        pass
    return gateway.messages[before:]


async def code_sent(shop: Shop, contact: str) -> str:
    """Send all that is due, and return the code that the contact gets."""
    found = [CODE.findall(each.body) for each in await send_notices(shop) if each.recipient == contact]
    ((code,),) = [each for each in found if each]
    return str(code)


async def secret_sent(shop: Shop, contact: str) -> str:
    """Send all that is due, and return the secret of an order that the contact gets."""
    notices = await send_notices(shop)
    (body,) = [
        each.body for each in notices if each.recipient == contact and each.kind is NoticeKind.ORDER_SECRET
    ]
    return str(SECRET.findall(body)[0])

"""Notices of WeChat Pay: verified over the raw body, decrypted, and about this merchant."""

from collections.abc import Collection
from dataclasses import dataclass, field

from pydantic import ValidationError

from gateways.payment.provider import (
    Ignored,
    Notice,
    NoticeAnswer,
    NoticeRefused,
    NoticeRequest,
    PaymentNotice,
    RefundNotice,
    Verdict,
)
from gateways.payment.wechat_pay.content import Encrypted, Envelope, RefundEvent, Transaction
from gateways.payment.wechat_pay.platform_keys import PlatformKeys
from gateways.payment.wechat_pay.reports import report_refund, report_transaction
from gateways.payment.wechat_pay.signing import SignatureRefused, SignedMessage, decrypt

ALGORITHM = "AEAD_AES_256_GCM"
PAID_EVENT = "TRANSACTION.SUCCESS"
REFUND_EVENTS = frozenset({"REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"})

FAILURE = b'{"code":"FAIL","message":"%s"}'
JSON = {"content-type": "application/json"}
ANSWERS = {
    Verdict.ACCEPTED: NoticeAnswer(204),
    Verdict.REPEATED: NoticeAnswer(204),
    Verdict.REFUSED: NoticeAnswer(400, FAILURE % b"refused", JSON),
    Verdict.RETRY: NoticeAnswer(503, FAILURE % b"later", JSON),
}
"""WeChat Pay sends again after anything but 200 and 204, up to 15 times; a refusal cannot ask it to stop."""


@dataclass(frozen=True, slots=True)
class NoticeReader:
    merchant_id: str
    app_ids: Collection[str]
    api_key: bytes = field(repr=False)
    keys: PlatformKeys

    async def read(self, request: NoticeRequest) -> Notice:
        """NoticeRefused unless it is genuine, fresh and about us; ProviderError where keys are not there."""
        try:
            message = SignedMessage.of(request.headers, request.body)
            message.check_time(request.received_at)
            await self.keys.verify(message)
        except SignatureRefused as error:
            raise NoticeRefused(str(error)) from None
        try:
            return self.read_content(Envelope.model_validate_json(request.body), message.nonce)
        except ValidationError as error:
            raise NoticeRefused(f"unreadable: {error.title}") from None

    def read_content(self, envelope: Envelope, nonce: str) -> Notice:
        if envelope.event_type == PAID_EVENT:
            transaction = Transaction.model_validate_json(self.decrypt(envelope.resource))
            self.check_recipient(transaction.mchid, transaction.appid)
            if transaction.amount is None:
                raise NoticeRefused("no amount")
            return PaymentNotice(envelope.id, report_transaction(transaction), nonce)
        if envelope.event_type in REFUND_EVENTS:
            refund = RefundEvent.model_validate_json(self.decrypt(envelope.resource))
            self.check_recipient(refund.mchid)
            return RefundNotice(envelope.id, report_refund(refund), nonce)
        return Ignored(f"an event {envelope.event_type}"[:80])

    def decrypt(self, resource: Encrypted) -> bytes:
        if resource.algorithm != ALGORITHM:
            raise NoticeRefused("another algorithm")
        try:
            return decrypt(
                self.api_key,
                nonce=resource.nonce,
                associated_data=resource.associated_data,
                ciphertext=resource.ciphertext,
            )
        except ValueError as error:
            raise NoticeRefused(str(error)) from None

    def check_recipient(self, merchant_id: str, app_id: str | None = None) -> None:
        if merchant_id != self.merchant_id:
            raise NoticeRefused("about another merchant")
        if app_id is not None and app_id not in self.app_ids:
            raise NoticeRefused("about another app")

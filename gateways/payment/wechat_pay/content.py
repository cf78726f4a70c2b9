"""The JSON of WeChat Pay that the shop reads, as far as it needs it. ValidationError where it is none."""

from typing import Annotated

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from models import CurrencyCode, Money

Reference = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-|*@]{1,64}$")]
Text = Annotated[str, StringConstraints(max_length=1024)]
Fen = Annotated[int, Field(ge=0, lt=10**12, strict=True)]
Moment = Annotated[AwareDatetime | None, BeforeValidator(lambda value: value or None)]
"""A time of RFC 3339; WeChat Pay writes an empty text where there is none."""


class Content(BaseModel):
    model_config = ConfigDict(frozen=True)


class Problem(Content):
    """What an answer other than 2xx says."""

    code: Text = ""
    message: Text = ""


class Prepaid(Content):
    """The answer to the start of an attempt: one of the three, by channel."""

    code_url: Text | None = None
    h5_url: Text | None = None
    prepay_id: Text | None = None


class TransactionAmount(Content):
    total: Fen
    currency: CurrencyCode = CurrencyCode.CNY

    @property
    def money(self) -> Money:
        return Money(self.total, self.currency)


class Transaction(Content):
    """An attempt, in the answer to a query and in notices."""

    appid: Text
    mchid: Text
    out_trade_no: Reference
    transaction_id: Reference | None = None
    trade_state: Text
    success_time: Moment = None
    amount: TransactionAmount | None = None


class RefundAmount(Content):
    total: Fen
    refund: Fen
    currency: CurrencyCode = CurrencyCode.CNY

    @property
    def money(self) -> Money:
        return Money(self.refund, self.currency)


class RefundContent(Content):
    """A refund: `status` in the answer to a request or a query is `refund_status` in a notice."""

    out_refund_no: Reference
    out_trade_no: Reference
    refund_id: Reference
    status: Text = Field(validation_alias=AliasChoices("status", "refund_status"))
    success_time: Moment = None
    amount: RefundAmount


class RefundEvent(RefundContent):
    mchid: Text


class Encrypted(Content):
    algorithm: Text
    ciphertext: str
    nonce: Annotated[str, StringConstraints(min_length=8, max_length=64)]
    associated_data: Text = ""


class Envelope(Content):
    """The body of a notice."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-]{1,64}$")]
    event_type: Text
    resource: Encrypted


class CertificateItem(Content):
    serial_no: Text
    expire_time: AwareDatetime
    encrypt_certificate: Encrypted


class CertificateList(Content):
    data: list[CertificateItem]


class BillAddress(Content):
    hash_type: Text
    hash_value: Text
    download_url: Text

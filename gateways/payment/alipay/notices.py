"""Reads the notices that Alipay posts as forms."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from gateways.payment.alipay.signing import AlipayKeys, signing_input
from gateways.payment.alipay.values import read_moment, read_yuan
from gateways.payment.provider import Ignored, Notice, NoticeRefused, PaymentNotice, RefundNotice
from models import AttemptReport, AttemptStatus, RefundOutcome, RefundReport

NOTICE_BYTES_LIMIT = 64_000
PARAMETERS_LIMIT = 100
NOTICE_AGE_LIMIT = timedelta(days=7)
"""Alipay sends a notice again for 24 hours and 22 minutes, with the time of the first sending
as far as is known.

What is older is somebody's copy. It must be shorter than the time for which the shop knows `notify_id`.
"""
CODECS = {"utf-8": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030"}
FORM_TEXT = re.compile(rb"[!-~]+")
HEX_LETTERS = re.compile(rb"%(?:[0-9][a-fA-F]|[a-fA-F][0-9a-fA-F])")

STATUSES = {
    "WAIT_BUYER_PAY": AttemptStatus.WAITING,
    "TRADE_SUCCESS": AttemptStatus.CAPTURED,
    "TRADE_FINISHED": AttemptStatus.CAPTURED,
    "TRADE_CLOSED": AttemptStatus.CLOSED,
}


def read_notice(
    body: bytes, keys: AlipayKeys, *, app_id: str, seller_id: str, received_at: datetime
) -> Notice:
    """The verified content of a notice.

    Alipay sends a notice again for a day, so one that is not fresh is honest: who has taken its `notify_id`
    before knows that it is the same. Only after NOTICE_AGE_LIMIT it is refused.
    """
    parameters, codec = parse_form(body)
    signature = parameters.pop("sign", "")
    if parameters.pop("sign_type", "") != "RSA2":
        raise NoticeRefused("sign_type is not RSA2")
    if not keys.verify(signing_input(parameters).encode(codec), signature):
        raise NoticeRefused("wrong signature")
    if parameters.get("app_id") != app_id:
        raise NoticeRefused("the notice of another app")
    if parameters.get("notify_type") != "trade_status_sync":
        return Ignored("not about a trade")
    if parameters.get("seller_id") != seller_id:
        raise NoticeRefused("the notice of another seller")
    try:
        if received_at - read_moment(parameters["notify_time"]) > NOTICE_AGE_LIMIT:
            raise NoticeRefused("not fresh")
        return read_trade(parameters)
    except (KeyError, ValueError) as error:
        raise NoticeRefused(f"unreadable: {type(error).__name__}") from None


def parse_form(body: bytes) -> tuple[dict[str, str], str]:
    """The parameters of a form and the codec of its text.

    NoticeRefused where a parameter comes twice or the form is written in two ways, as nobody does who writes
    a whole form: so each byte of the body counts, those of the signature's own encoding, too.
    """
    if len(body) > NOTICE_BYTES_LIMIT or not FORM_TEXT.fullmatch(body):
        raise NoticeRefused("not a form")
    escapes = b"".join(HEX_LETTERS.findall(body))
    if escapes not in (escapes.upper(), escapes.lower()):
        raise NoticeRefused("a form that is encoded in two ways")
    text = body.decode("ascii")
    try:
        charset = dict(parse_qsl(text, encoding="latin-1", max_num_fields=PARAMETERS_LIMIT)).get(
            "charset", ""
        )
        codec = CODECS[charset.lower()]
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=True,
            encoding=codec,
            errors="strict",
            max_num_fields=PARAMETERS_LIMIT,
        )
    except KeyError:
        raise NoticeRefused("another charset than was asked for") from None
    except ValueError as error:
        raise NoticeRefused(f"not a form: {type(error).__name__}") from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise NoticeRefused("a parameter that comes twice")
    return parameters, codec


def read_trade(parameters: Mapping[str, str]) -> Notice:
    notice_id, reference = parameters["notify_id"], parameters["out_trade_no"]
    trade_number, trade_status = parameters["trade_no"], parameters["trade_status"]
    amount = read_yuan(parameters["total_amount"])
    if not all(text.isprintable() and text for text in (notice_id, reference, trade_number)):
        raise ValueError("not a text")
    refunded_at = parameters.get("gmt_refund")
    if refunded_at and trade_status != "TRADE_FINISHED":
        refund = parameters.get("out_biz_no", "")
        if not refund or not refund.isprintable():
            return Ignored("a refund that the shop did not ask for by a reference")
        # refund_fee is what was refunded of the trade altogether, so the amount of this one is not told.
        report = RefundReport(
            refund, trade_number, RefundOutcome.SUCCEEDED, None, settled_at=read_moment(refunded_at)
        )
        return RefundNotice(notice_id, report)
    if trade_status not in STATUSES:
        return Ignored("a state that is not known")
    paid_at = parameters.get("gmt_payment")
    return PaymentNotice(
        notice_id,
        AttemptReport(
            reference,
            trade_number,
            STATUSES[trade_status] if not paid_at else AttemptStatus.CAPTURED,
            amount,
            captured_at=read_moment(paid_at) if paid_at else None,
        ),
    )

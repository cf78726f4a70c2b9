"""Pushes of kuaidi100: verified over the text as it came, then read."""

import re
from binascii import a2b_qp, unhexlify
from collections.abc import Mapping
from hashlib import md5
from hmac import compare_digest

import orjson

from gateways.carrier.kuaidi100.reports import Unreadable, newest_moment, read_history, text_of
from gateways.carrier.protocol import CarrierEvent, PushRefused, PushRequest, TrackingPush
from models import ShipmentStatus

FORM_FIELDS_LIMIT = 20
ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
LINE_ENDS = re.compile(rb"[\r\n]")
"""Quoted-printable drops those that follow its sign; a form has none unescaped."""
NOT_FOUND = "查询无记录"
"""In the message of an end: it has never heard of the number, which may come to be still."""


def read_push(request: PushRequest, *, salt: str) -> TrackingPush:
    """The verified content of a push; PushRefused unless it was signed with the salt."""
    if not salt:
        raise PushRefused("without a salt anybody could sign it")
    param, sign = read_form(request.body)
    if not compare_digest(sign_text(param + salt).encode(), sign.upper().encode()):
        raise PushRefused("wrong signature")
    try:
        content = orjson.loads(param)
        if not isinstance(content, dict):
            raise Unreadable("no object")
        return push_of(content, request)
    except (ValueError, RecursionError, TypeError) as error:
        raise PushRefused(f"unreadable: {error}"[:200]) from None


def read_form(body: bytes) -> tuple[str, str]:
    """`param` and `sign` of the form, each once."""
    if body.count(b"&") >= FORM_FIELDS_LIMIT:
        raise PushRefused("too many fields")
    fields = [field.partition(b"=") for field in body.split(b"&")]
    try:
        [param] = [unquote_field(value) for name, _, value in fields if name == b"param"]
        sign = "".join(unquote_field(value) for name, _, value in fields if name == b"sign")
    except (UnicodeDecodeError, ValueError):
        raise PushRefused("no form with param") from None
    return param, sign


def unquote_field(value: bytes) -> str:
    """A value of a form as text.

    A history of Chinese texts has a thousand escapes, which urllib takes one by one. Those of
    quoted-printable differ in their sign only and are decoded in C. Where something else follows the sign,
    the result is longer than it should be: then each escape is looked for.
    """
    plain = value.replace(b"+", b" ")
    decoded = a2b_qp(plain.replace(b"=", b"=3D").replace(b"%", b"="))
    is_exact = len(decoded) == len(plain) - 2 * plain.count(b"%") and not LINE_ENDS.search(plain)
    return (decoded if is_exact else ESCAPES.sub(decode_escapes, plain)).decode()


def decode_escapes(escapes: re.Match[bytes]) -> bytes:
    return unhexlify(escapes[0].replace(b"%", b""))


def sign_text(text: str) -> str:
    """kuaidi100's signature: the upper-case MD5 of a text that ends in a secret."""
    return md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def push_of(content: Mapping[str, object], request: PushRequest) -> TrackingPush:
    result = content.get("lastResult")
    if not isinstance(result, dict):
        raise Unreadable("no lastResult")
    number = text_of(result, "nu")
    if not number:
        raise Unreadable("no number")
    events = read_history(result)
    status, message = text_of(content, "status"), text_of(content, "message")
    new_code = text_of(content, "comNew")
    if status == "abort" and not new_code and NOT_FOUND not in message:
        events.append(end_of(events, message, request))
    return TrackingPush(
        tracking_number=number,
        events=events,
        company_code=text_of(content, "comOld") or text_of(result, "com"),
        new_company_code=new_code,
        has_ended=status in {"shutdown", "abort"},
        subscribe_again=status == "abort" and not new_code and NOT_FOUND in message,
    )


def end_of(events: list[CarrierEvent], message: str, request: PushRequest) -> CarrierEvent:
    """That it reports no more, as an event: a push that comes again has the same one."""
    day = request.received_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return CarrierEvent(
        status=ShipmentStatus.EXPIRED,
        code="abort",
        description=message,
        occurred_at=newest_moment(events) or day,
    )

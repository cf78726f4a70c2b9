"""Notices to the merchant: signed anew at each try, sent until they are taken, or tampered with as asked."""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

import httpx

from bench.provider_servers.wechat_pay.book import Order, Refund, SentNotice
from bench.provider_servers.wechat_pay.state import ServerState, describe_order, describe_refund, take_fault

RETRIES_SECONDS = (0.2, 0.2, 0.5, 0.5, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8)
"""WeChat Pay waits 15 seconds to 6 hours; as many times, but sooner."""
TIMEOUT_SECONDS = 5.0
PAUSE_SECONDS = 0.05
AT_ONCE = 20


def queue_payment_notice(state: ServerState, order: Order) -> None:
    body = seal(state, "TRANSACTION.SUCCESS", "transaction", describe_order(order))
    queue_notice(state, order.notify_url, body)


def queue_refund_notice(state: ServerState, refund: Refund) -> None:
    content = describe_refund(refund, state.book.orders[refund.order], status_name="refund_status")
    queue_notice(state, refund.notify_url, seal(state, f"REFUND.{refund.status}", "refund", content))


def seal(
    state: ServerState,
    event: str,
    kind: str,
    content: Mapping[str, object],
    envelope: Mapping[str, object] | None = None,
) -> bytes:
    """The body of a notice."""
    resource = state.keys.encrypt(json.dumps(content, ensure_ascii=False).encode(), kind)
    body: dict[str, object] = {
        "id": str(uuid4()),
        "create_time": state.now().isoformat(timespec="seconds"),
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": "支付成功" if kind == "transaction" else "退款",
        "resource": {"original_type": kind, **resource},
    }
    return json.dumps(body | dict(envelope or {}), ensure_ascii=False, separators=(",", ":")).encode()


def queue_notice(state: ServerState, url: str, body: bytes) -> None:
    """Keep it, and send it unless a fault holds or loses it."""
    fault = take_fault(state.notice_faults, url)
    name = fault.fault if fault else ""
    notice = SentNotice(json.loads(body)["id"], url, base64.b64encode(body).decode())
    notice.done = name in ("lost", "held")
    if name == "held":
        state.held.append(notice.reference)
    state.book.save(notice)
    if name == "doubled":
        state.book.save(SentNotice(f"{notice.reference}-again", url, notice.body))
    if name in ("probe", "wrong_signature"):
        notice.due_at = time.time() + 0.2
        state.book.save(SentNotice(f"{notice.reference}-{name}", url, notice.body))


def release_held(state: ServerState) -> None:
    """Send what was held, the newest first."""
    for at, reference in enumerate(reversed(state.held)):
        notice = state.book.notices[reference]
        notice.done, notice.due_at = False, time.time() + at * 0.2
        state.book.save(notice)
    state.held.clear()


async def send_notices(state: ServerState) -> None:
    """Send what is due, for ever."""
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        while True:
            due = [
                each for each in state.book.notices.values() if not each.done and each.due_at <= time.time()
            ]
            await asyncio.gather(*(send_notice(state, client, each) for each in due[:AT_ONCE]))
            await asyncio.sleep(PAUSE_SECONDS)


async def send_notice(state: ServerState, client: httpx.AsyncClient, notice: SentNotice) -> None:
    body = base64.b64decode(notice.body)
    headers = notice_headers(state, body, notice.reference)
    try:
        response = await client.post(notice.url, content=body, headers=headers)
        notice.last_status = response.status_code
    except httpx.HTTPError:
        notice.last_status = 0
    notice.tries += 1
    is_fault = notice.reference.endswith(("-probe", "-wrong_signature"))
    notice.done = notice.last_status in (200, 204) or is_fault or notice.tries > len(RETRIES_SECONDS)
    if not notice.done:
        notice.due_at = time.time() + RETRIES_SECONDS[notice.tries - 1]
    state.book.save(notice)


def notice_headers(
    state: ServerState, body: bytes, reference: str = "", offset: timedelta = timedelta()
) -> dict[str, str]:
    headers = state.sign(body, by_public_key=state.notices_by_public_key, age=-offset)
    signature = headers["Wechatpay-Signature"]
    if reference.endswith("-probe"):
        headers["Wechatpay-Signature"] = f"WECHATPAY/SIGNTEST/{signature}"
    if reference.endswith("-wrong_signature"):
        headers["Wechatpay-Signature"] = ("A" if signature[0] != "A" else "B") + signature[1:]
    return headers | {"Content-Type": "application/json"}

"""What tests ask the server to do, under /control; it answers JSON and verifies nothing."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.provider_servers.wechat_pay.api import find_order, settle_refund
from bench.provider_servers.wechat_pay.notices import (
    notice_headers,
    queue_payment_notice,
    release_held,
    seal,
)
from bench.provider_servers.wechat_pay.state import (
    Fault,
    ServerState,
    describe_order,
    describe_refund,
    new_id,
)

Asked = Mapping[str, object]


def pay(state: ServerState, asked: Asked) -> Asked:
    """The customer pays, if that is still possible."""
    order = find_order(state, str(asked["reference"]))
    if order is None or order.state != "NOTPAY":
        return {"paid": False, "state": order.state if order else None}
    order.state, order.transaction_id = "SUCCESS", new_id("4200", 28)
    order.total = int(str(asked.get("amount", order.total)))
    order.paid_at = state.now().isoformat(timespec="seconds")
    state.book.save(order)
    if asked.get("notify", True):
        queue_payment_notice(state, order)
    return {"paid": True, "transaction_id": order.transaction_id}


def end_refund(state: ServerState, asked: Asked) -> Asked:
    settle_refund(state, state.book.refunds[str(asked["reference"])], str(asked["status"]))
    return {}


def begin_refunds(state: ServerState, asked: Asked) -> Asked:
    state.refund_status = str(asked["status"])
    return {}


def add_fault(state: ServerState, asked: Asked) -> Asked:
    state.faults.append(read_fault(asked))
    return {}


def add_notice_fault(state: ServerState, asked: Asked) -> Asked:
    state.notice_faults.append(read_fault(asked))
    return {}


def read_fault(asked: Asked) -> Fault:
    return Fault(
        str(asked["fault"]),
        str(asked.get("path", "")),
        int(str(asked.get("times", 1))),
        float(str(asked.get("seconds", 0))),
    )


def release(state: ServerState, asked: Asked) -> Asked:
    release_held(state)
    return {}


def make_notice(state: ServerState, asked: Asked) -> Asked:
    """A notice as it would be sent now, with whatever is asked to be different."""
    reference, kind = str(asked["reference"]), str(asked.get("kind", "transaction"))
    if kind == "refund":
        refund = state.book.refunds[reference]
        content = describe_refund(refund, state.book.orders[refund.order], status_name="refund_status")
        event = f"REFUND.{refund.status}"
    else:
        content, event = describe_order(state.book.orders[reference]), "TRANSACTION.SUCCESS"
    content |= mapping(asked.get("content"))
    body = seal(state, str(asked.get("event", event)), kind, content, mapping(asked.get("envelope")))
    offset = timedelta(seconds=float(str(asked.get("offset_seconds", 0))))
    return {"headers": notice_headers(state, body, offset=offset), "body": body.decode()}


def mapping(value: object) -> dict[str, object]:
    return {str(key): each for key, each in value.items()} if isinstance(value, dict) else {}


def choose_signing(state: ServerState, asked: Asked) -> Asked:
    state.notices_by_public_key = asked["by"] == "public_key"
    return {}


def rotate(state: ServerState, asked: Asked) -> Asked:
    state.keys.rotate(keep=bool(asked.get("keep", True)))
    return {"serial": state.keys.certificates[-1].serial}


def set_clock(state: ServerState, asked: Asked) -> Asked:
    state.offset = timedelta(seconds=float(str(asked["offset_seconds"])))
    return {}


def reset(state: ServerState, asked: Asked) -> Asked:
    """Forget faults, clock and choices; keys and book stay."""
    state.faults.clear()
    state.notice_faults.clear()
    state.held.clear()
    state.calls.clear()
    state.offset, state.refund_status, state.notices_by_public_key = timedelta(), "PROCESSING", True
    return {}


def dump_book(state: ServerState, asked: Asked) -> Asked:
    return state.book.dump() | {"calls": dict(state.calls)}


ACTIONS: Mapping[str, Callable[[ServerState, Asked], Asked]] = {
    "pay": pay,
    "refund": end_refund,
    "refunds": begin_refunds,
    "faults": add_fault,
    "notice_faults": add_notice_fault,
    "release": release,
    "notice": make_notice,
    "signing": choose_signing,
    "rotate": rotate,
    "clock": set_clock,
    "reset": reset,
    "book": dump_book,
}


def control_routes(state: ServerState) -> list[Route]:
    def serve(action: Callable[[ServerState, Asked], Asked]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return JSONResponse(action(state, await request.json() if await request.body() else {}))

        return answer

    return [
        Route(f"/control/{name}", serve(action), methods=["GET", "POST"]) for name, action in ACTIONS.items()
    ]

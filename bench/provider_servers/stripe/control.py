"""What tests ask the server to do: POST /control/NAME with JSON, by the shop's references.

`confirm` {reference, card}; `settle` {reference, succeeds} ends 3-D Secure and processing; `refund`
{reference, status, failure_reason}; `dispute` {reference, reason, is_inquiry}; `dispute_close` {reference,
status}; `fault` {call, kind, times, seconds}, `call` a regular expression such as "POST /v1/refunds", and
`faults_clear`; `notices` {mode, url}, mode one of hold, send, double, reverse, forge; `roll` adds a signing
secret, `roll_back` ends all but the oldest, `roll_end` all but the newest; `set` {ahead, refunds_pend,
search_delay}; `held` gives out and forgets what is held, signed; `book` is what the server has in its book.
"""

import secrets
from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.provider_servers.stripe.book import ApiProblem, Dispute, Json, Refund, refuse
from bench.provider_servers.stripe.server import HANDLERS, HANG_SECONDS, Fault, StripeServer, respond

Order = Mapping[str, object]


def create_server(server: StripeServer) -> Starlette:
    """The API and its control path."""

    async def control(request: Request) -> Response:
        order = await request.json()
        try:
            body = CONTROLS[request.path_params["name"]](server, order)
        except ApiProblem as problem:
            server.keep()
            return respond(problem.status, problem.body)
        server.keep()
        await server.send_notices()
        return respond(200, body or {})

    routes = [Route(path, server.answer, methods=[method]) for method, path in HANDLERS]
    return Starlette(routes=[*routes, Route("/control/{name}", control, methods=["POST"])])


def confirm(server: StripeServer, order: Order) -> None:
    server.book.confirm(server.intent_of(order["reference"]), str(order["card"]))


def settle(server: StripeServer, order: Order) -> None:
    intent = server.intent_of(order["reference"])
    if intent.status not in {"requires_action", "processing"}:
        raise refuse("nothing_to_settle", intent.status)
    if order["succeeds"]:
        server.book.capture(intent)
    else:
        server.book.decline(intent)


def end_refund(server: StripeServer, order: Order) -> None:
    reason = order.get("failure_reason")
    refund = refund_of(server, order["reference"])
    server.book.end_refund(refund, str(order["status"]), str(reason) if reason else None)


def open_dispute(server: StripeServer, order: Order) -> None:
    intent = server.intent_of(order["reference"])
    server.book.open_dispute(
        intent, str(order.get("reason", "fraudulent")), is_inquiry=bool(order.get("is_inquiry"))
    )


def close_dispute(server: StripeServer, order: Order) -> None:
    server.book.close_dispute(dispute_of(server, order["reference"]), str(order["status"]))


def plan_fault(server: StripeServer, order: Order) -> None:
    server.faults.append(
        Fault(
            call=str(order["call"]),
            kind=str(order["kind"]),
            times=int(str(order.get("times", 1))),
            seconds=float(str(order.get("seconds", HANG_SECONDS))),
        )
    )


def clear_faults(server: StripeServer, order: Order) -> None:
    server.faults.clear()


def direct_notices(server: StripeServer, order: Order) -> None:
    server.notice_mode = str(order.get("mode", server.notice_mode))
    server.notice_url = str(order.get("url", server.notice_url))


def roll_secret(server: StripeServer, order: Order) -> Json:
    """Sign with one more secret, the newest first."""
    server.webhook_secrets.insert(0, f"whsec_{secrets.token_hex(16)}")
    return {"webhook_secrets": list(server.webhook_secrets)}


def roll_back(server: StripeServer, order: Order) -> None:
    del server.webhook_secrets[:-1]


def end_roll(server: StripeServer, order: Order) -> None:
    del server.webhook_secrets[1:]


def change(server: StripeServer, order: Order) -> None:
    if "ahead" in order:
        server.book.ahead = float(str(order["ahead"]))
    if "refunds_pend" in order:
        server.book.refunds_pend = bool(order["refunds_pend"])
    if "search_delay" in order:
        server.search_delay = float(str(order["search_delay"]))


def give_out_held(server: StripeServer, order: Order) -> Json:
    held, server.book.notices = server.book.notices, []
    signed = [(notice, *server.sign(notice)) for notice in held]
    return {
        "notices": [
            {"id": notice.id, "type": notice.type, "headers": headers, "body": body.decode()}
            for notice, headers, body in signed
        ]
    }


def show_book(server: StripeServer, order: Order) -> Json:
    return server.book.dump()


def refund_of(server: StripeServer, reference: object) -> Refund:
    found = [each for each in server.book.refunds.values() if each.metadata.get("reference") == reference]
    if not found:
        raise refuse("resource_missing", "No such refund.", 404)
    return found[-1]


def dispute_of(server: StripeServer, reference: object) -> Dispute:
    intent = server.intent_of(reference)
    found = [each for each in server.book.disputes.values() if each.intent is intent]
    if not found:
        raise refuse("resource_missing", "No such dispute.", 404)
    return found[-1]


CONTROLS: Mapping[str, Callable[[StripeServer, Order], Json | None]] = {
    "confirm": confirm,
    "settle": settle,
    "refund": end_refund,
    "dispute": open_dispute,
    "dispute_close": close_dispute,
    "fault": plan_fault,
    "faults_clear": clear_faults,
    "notices": direct_notices,
    "roll": roll_secret,
    "roll_back": roll_back,
    "roll_end": end_roll,
    "set": change,
    "held": give_out_held,
    "book": show_book,
}

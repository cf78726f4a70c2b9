"""The HTTP side: authentication, faults on demand, idempotency, notices and the API.

What tests ask it to do, beside what Stripe does, is in `control`.
"""

import asyncio
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import httpx
import orjson
from starlette.requests import Request
from starlette.responses import Response

from bench.provider_servers.stripe.book import (
    ApiProblem,
    Book,
    Dispute,
    Intent,
    Json,
    Movement,
    Notice,
    Refund,
    refuse,
)
from bench.provider_servers.stripe.idempotency import KeptAnswers
from bench.provider_servers.stripe.store import Store

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Stripe's hours, shortened."""

PAGE_LIMIT = 100
HANG_SECONDS = 60.0
METADATA = re.compile(r"metadata\[([^\[\]]{1,40})\]")
SEARCH_QUERY = re.compile(r"metadata\['reference'\]:'([^']+)'")

FAILURE: Json = {"error": {"type": "api_error", "message": "Something went wrong on our end."}}

Shown = Intent | Refund | Dispute | Movement
ShownT = TypeVar("ShownT", Intent, Refund, Dispute)


class InvalidForm(ApiProblem):
    """A form that fails validation, before anything has begun."""

    def __init__(self, code: str, message: str) -> None:
        ApiProblem.__init__(self, 400, "invalid_request_error", code, message)


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next calls of a kind.

    Before it acts: "hang" answers nothing, "fail" 500 under the key, "unavailable" 503, "limit" 429.
    After it has acted: "act_then_hang", "act_then_fail" 500 under the key, "nonsense" a page of HTML.
    "slow" only takes its time.
    """

    call: str
    kind: str
    times: int = 1
    seconds: float = HANG_SECONDS


@dataclass(slots=True)
class StripeServer:
    book: Book = field(default_factory=Book)
    kept: KeptAnswers = field(default_factory=KeptAnswers)
    faults: list[Fault] = field(default_factory=list)
    secret_key: str = field(default_factory=lambda: f"sk_test_{secrets.token_hex(16)}")
    publishable_key: str = field(default_factory=lambda: f"pk_test_{secrets.token_hex(16)}")
    webhook_secrets: list[str] = field(default_factory=lambda: [f"whsec_{secrets.token_hex(16)}"])
    notice_mode: str = "hold"
    notice_url: str = ""
    search_delay: float = 60.0
    store: Store | None = None
    sending: set[asyncio.Task[None]] = field(default_factory=set)
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=10.0))

    @classmethod
    def open(cls, folder: Path) -> "StripeServer":
        """The server of a folder, with the keys and the book that it had."""
        store = Store.open(folder)
        server = cls(store=store)
        server.secret_key = store.keep_text("secret_key", server.secret_key)
        server.publishable_key = store.keep_text("publishable_key", server.publishable_key)
        server.webhook_secrets = [store.keep_text("webhook_secret", server.webhook_secrets[0])]
        store.load(server.book, server.kept)
        return server

    def keep(self, key: str | None = None) -> None:
        """Keep what has changed before anybody is told of it, and the answer under a key."""
        if self.store is not None:
            self.store.keep(self.book, [(key, self.kept.answers[key])] if key else [])

    async def answer(self, request: Request) -> Response:
        """Answer a call of the API as Stripe does."""
        form = {str(name): str(value) for name, value in (await request.form()).items()}
        try:
            self.authenticate(request, form)
            return await self.answer_once(request, form)
        except ApiProblem as problem:
            return respond(problem.status, problem.body)

    def authenticate(self, request: Request, form: Mapping[str, str]) -> None:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if "stripe-version" not in request.headers:
            raise refuse("version_missing", "Calls to this server name a version.")
        if hmac.compare_digest(key, self.secret_key):
            return
        if not hmac.compare_digest(key, self.publishable_key):
            raise refuse("api_key_invalid", "Invalid API Key provided.", 401)
        intent = self.book.intents.get(request.path_params.get("name", ""))
        given = form.get("client_secret") or request.query_params.get("client_secret")
        if "/payment_intents/" not in request.url.path or not given:
            raise refuse("secret_key_required", "This call needs a secret key.", 401)
        if intent is None or intent.client_secret != given:
            raise refuse("resource_missing", "No such payment_intent.", 404)

    async def answer_once(self, request: Request, form: Mapping[str, str]) -> Response:
        """Answer a call, or what was answered to the first one under its idempotency key."""
        call, now = f"{request.method} {request.url.path}", self.book.now()
        fault = self.take_fault(call)
        await self.fail_before(fault)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key and (kept := self.kept.find(key, call, form, now)):
            return respond(kept.status, kept.body, is_replayed=True)
        if key:
            self.kept.begin(key, call, form, now)
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        try:
            status, body = self.act(request, form, fault)
        except InvalidForm:
            # What fails validation has not begun, and does not use its key up.
            if key:
                self.kept.forget(key)
            raise
        if key:
            self.kept.finish(key, status, body)
        self.keep(key)
        await self.send_notices()
        if fault and fault.kind == "act_then_hang":
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind == "nonsense":
            return Response("<html>We will be right back.</html>", media_type="text/html")
        return respond(status, body)

    def act(self, request: Request, form: Mapping[str, str], fault: Fault | None) -> tuple[int, Json]:
        if fault and fault.kind == "fail":
            return 500, FAILURE
        try:
            body = HANDLERS[request.method, request.scope["route"].path](self, request, form)
        except InvalidForm:
            raise
        except ApiProblem as problem:
            return problem.status, problem.body
        return (500, FAILURE) if fault and fault.kind == "act_then_fail" else (200, body)

    def take_fault(self, call: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and re.fullmatch(fault.call, call):
                fault.times -= 1
                return fault
        return None

    async def fail_before(self, fault: Fault | None) -> None:
        """Fail as nothing that has begun: it is not kept under a key."""
        match fault:
            case Fault(kind="limit"):
                raise ApiProblem(429, "invalid_request_error", "rate_limit", "Too many requests.")
            case Fault(kind="unavailable"):
                raise ApiProblem(503, "api_error", "api_error", "Try again.")
            case Fault(kind="hang"):
                await asyncio.sleep(fault.seconds)
                raise ApiProblem(503, "api_error", "api_error", "Try again.")

    async def send_notices(self) -> None:
        """Send what waits, as the mode says: once, twice, backwards, with a wrong signature, or not yet."""
        if self.notice_mode == "hold" or not self.notice_url:
            return
        notices, self.book.notices = self.book.notices, []
        if self.notice_mode == "reverse":
            notices.reverse()
        for notice in notices * (2 if self.notice_mode == "double" else 1):
            task = asyncio.create_task(self.send(notice, is_forged=self.notice_mode == "forge"))
            self.sending.add(task)
            task.add_done_callback(self.sending.discard)

    async def send(self, notice: Notice, *, is_forged: bool) -> None:
        """Send it until it is taken, signed anew each time."""
        for pause in (*RETRY_SECONDS, None):
            headers, body = self.sign(notice)
            if is_forged:
                body += b" "
            with suppress(httpx.HTTPError):
                response = await self.client.post(self.notice_url, content=body, headers=headers)
                if response.is_success:
                    break
            if pause is not None:
                await asyncio.sleep(pause)
        if self.store is not None:
            self.store.drop_notice(notice)

    def sign(self, notice: Notice) -> tuple[dict[str, str], bytes]:
        """Headers and body, with one signature for each secret in force."""
        body, moment = orjson.dumps(notice.body, option=orjson.OPT_INDENT_2), str(self.book.now())
        signatures = [
            hmac.new(secret.encode(), f"{moment}.".encode() + body, sha256).hexdigest()
            for secret in self.webhook_secrets
        ]
        header = ",".join([f"t={moment}", *(f"v1={each}" for each in signatures)])
        return {"stripe-signature": header, "content-type": "application/json; charset=utf-8"}, body

    def intent_of(self, reference: object) -> Intent:
        for intent in reversed(self.book.intents.values()):
            if intent.metadata.get("reference") == reference:
                return intent
        raise refuse("resource_missing", "No such payment_intent.", 404)


def respond(status: int, body: Json, *, is_replayed: bool = False) -> Response:
    headers = {"idempotent-replayed": "true"} if is_replayed else None
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def check_form(form: Mapping[str, str], required: Sequence[str], allowed: Sequence[str]) -> None:
    for name in required:
        if name not in form:
            raise InvalidForm("parameter_missing", f"Missing required param: {name}.")
    for name in form:
        if name not in {*required, *allowed} and not METADATA.fullmatch(name):
            raise InvalidForm("parameter_unknown", f"Received unknown parameter: {name}")


def read_amount(text: str) -> int:
    if not re.fullmatch("[0-9]{1,8}", text) or int(text) == 0:
        raise InvalidForm("parameter_invalid_integer", f"Invalid integer: {text}")
    return int(text)


def read_metadata(form: Mapping[str, str]) -> dict[str, str]:
    metadata = {match[1]: value for name, value in form.items() if (match := METADATA.fullmatch(name))}
    if any(len(value) > 500 for value in metadata.values()):
        raise InvalidForm("parameter_invalid_string", "Metadata values can have at most 500 characters.")
    return metadata


def create_intent(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    check_form(form, ("amount", "currency"), ("payment_method_types[]", "description"))
    if form.get("payment_method_types[]") != "card":
        raise InvalidForm("payment_method_types_invalid", "This server takes cards.")
    if not re.fullmatch("[a-z]{3}", form["currency"]):
        raise InvalidForm("parameter_invalid_string", "Invalid currency.")
    amount, metadata = read_amount(form["amount"]), read_metadata(form)
    return server.book.create_intent(amount, form["currency"], metadata).show()


def confirm_intent(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    check_form(form, ("payment_method",), ("client_secret", "return_url"))
    intent = find(server.book.intents, request)
    server.book.confirm(intent, form["payment_method"])
    return intent.show()


def cancel_intent(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    check_form(form, (), ("cancellation_reason",))
    reasons = {"duplicate", "fraudulent", "requested_by_customer", "abandoned"}
    if form.get("cancellation_reason", "abandoned") not in reasons:
        raise InvalidForm("parameter_invalid_string", "Invalid cancellation_reason.")
    intent = find(server.book.intents, request)
    server.book.cancel(intent)
    return intent.show()


def get_intent(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    return find(server.book.intents, request).show(request.query_params.getlist("expand[]"))


def list_intents(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    return page_of(list(server.book.intents.values()), request)


def search_intents(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    query = SEARCH_QUERY.fullmatch(request.query_params.get("query", ""))
    if query is None:
        raise refuse("parameter_invalid_string", "We were unable to parse your search query.")
    before = server.book.now() - server.search_delay
    found = [
        intent.show()
        for intent in server.book.intents.values()
        if intent.metadata.get("reference") == query[1] and intent.created <= before
    ]
    return {"object": "search_result", "data": found, "has_more": False}


def create_refund(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    check_form(form, ("payment_intent",), ("amount", "reason"))
    if form.get("reason") not in {None, "duplicate", "fraudulent", "requested_by_customer"}:
        raise InvalidForm("parameter_invalid_string", "Invalid reason.")
    intent = server.book.intents.get(form["payment_intent"])
    if intent is None:
        raise InvalidForm("resource_missing", "No such payment_intent.")
    amount = read_amount(form["amount"]) if "amount" in form else intent.amount - intent.refunded
    return server.book.create_refund(intent, amount, read_metadata(form)).show()


def get_refund(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    return find(server.book.refunds, request).show()


def list_refunds(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    intent_id = request.query_params.get("payment_intent")
    return page_of(
        [each for each in server.book.refunds.values() if intent_id in {None, each.intent.id}], request
    )


def get_dispute(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    return find(server.book.disputes, request).show(request.query_params.getlist("expand[]"))


def list_disputes(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    return page_of(list(server.book.disputes.values()), request)


def list_movements(server: StripeServer, request: Request, form: Mapping[str, str]) -> Json:
    return page_of(list(server.book.movements.values()), request)


def find(objects: Mapping[str, ShownT], request: Request) -> ShownT:
    found = objects.get(request.path_params["name"])
    if found is None:
        raise refuse("resource_missing", "No such object.", 404)
    return found


def page_of(items: Sequence[Shown], request: Request) -> Json:
    """A page, the newest first, of what was created within the bounds."""
    query = request.query_params
    limit = int(query.get("limit", "10"))
    if not 1 <= limit <= PAGE_LIMIT:
        raise refuse("parameter_invalid_integer", "Invalid limit.")
    since, until = int(query.get("created[gte]", "0")), int(query.get("created[lt]", "99999999999"))
    newest = [each for each in reversed(items) if since <= each.created < until]
    if after := query.get("starting_after"):
        names = [each.id for each in newest]
        newest = newest[names.index(after) + 1 :]
    expand = query.getlist("expand[]")
    data = [each.show(expand) for each in newest[:limit]]
    return {"object": "list", "data": data, "has_more": len(newest) > limit}


Handler = Callable[[StripeServer, Request, Mapping[str, str]], Json]
HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("POST", "/v1/payment_intents"): create_intent,
    ("GET", "/v1/payment_intents"): list_intents,
    ("GET", "/v1/payment_intents/search"): search_intents,
    ("GET", "/v1/payment_intents/{name}"): get_intent,
    ("POST", "/v1/payment_intents/{name}/confirm"): confirm_intent,
    ("POST", "/v1/payment_intents/{name}/cancel"): cancel_intent,
    ("POST", "/v1/refunds"): create_refund,
    ("GET", "/v1/refunds"): list_refunds,
    ("GET", "/v1/refunds/{name}"): get_refund,
    ("GET", "/v1/disputes"): list_disputes,
    ("GET", "/v1/disputes/{name}"): get_dispute,
    ("GET", "/v1/balance_transactions"): list_movements,
}

"""The pay page of the sandbox provider, where a customer pays, declines or delays a payment."""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from events.shop import Shop
from gateways.payment.sandbox import NoticeFault, SandboxProvider
from models import PaymentStatus, SandboxCharge

PAGE = Template(Path(__file__).with_name("sandbox.html").read_text(encoding="utf-8"))
STYLE = Path(__file__).with_name("sandbox.css").read_text(encoding="utf-8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

FORM_LIMIT_BYTES = 1_000
DELAY_SECONDS = 10
SECONDS = re.compile(r"\d{1,5}", re.ASCII)

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

STATUS_MESSAGES: Mapping[PaymentStatus, tuple[str, str]] = {
    PaymentStatus.CAPTURED: ("paid", "Paid. The shop has been told."),
    PaymentStatus.FAILED: ("declined", "Declined. Nothing was taken; you can try again in the shop."),
    PaymentStatus.CLOSED: ("closed", "The shop does not expect this payment any more."),
}
"""The CSS class and the message of each status in which nothing can be chosen."""

NOTICES: Mapping[NoticeFault, str] = {
    NoticeFault.NONE: "once, at once",
    NoticeFault.TWICE: "twice",
    NoticeFault.LATE: "late",
    NoticeFault.OUT_OF_ORDER: "before an older notice",
    NoticeFault.WRONG_AMOUNT: "with a wrong amount",
}
"""How the shop may be told, as the page says it."""

OPTIONS = "".join(f'<option value="{fault.value}">{text}</option>' for fault, text in NOTICES.items())

CHOICES = f"""
<form method="post">
  <button name="choice" value="pay" class="main">Pay</button>
  <button name="choice" value="decline">Decline</button>
  <fieldset>
    <legend>For trying out what may go wrong</legend>
    <label>The shop is told <select name="notices">{OPTIONS}</select></label>
    <label>Seconds <input name="seconds" type="number" min="0" max="3600" value="{DELAY_SECONDS}"></label>
    <button name="choice" value="later">Pay, the money comes later</button>
  </fieldset>
</form>"""


def sandbox_routes(shop: Shop) -> list[Route]:
    """The route of the pay page, which answers 404 where the sandbox is not offered."""

    async def show_pay_page(request: Request) -> Response:
        if shop.sandbox is None:
            return PlainTextResponse("Not found", 404)
        return await PayPage(shop.sandbox, request).respond()

    return [Route("/sandbox/pay/{reference}", show_pay_page, methods=["GET", "POST"])]


class PayPage:
    """One request to the pay page; only the holder of its token can see or settle the payment."""

    def __init__(self, sandbox: SandboxProvider, request: Request) -> None:
        self.sandbox = sandbox
        self.request = request
        self.reference: str = request.path_params["reference"]
        self.return_url = request.query_params.get("back", "")

    async def respond(self) -> Response:
        token = self.request.query_params.get("token", "")
        if not self.sandbox.may_pay(self.reference, self.return_url, token):
            return PlainTextResponse("Not found", 404, HEADERS)
        charge = await self.sandbox.find_charge(self.reference)
        if charge is None:
            return PlainTextResponse("Not found", 404, HEADERS)
        if self.request.method == "POST":
            return await self.apply_choice()
        return HTMLResponse(render_page(charge, self.return_url), headers=HEADERS)

    async def apply_choice(self) -> Response:
        """Pay, decline or delay as the form says, then redirect to the page."""
        form = await read_form(self.request)
        seconds, notices = form.get("seconds", "0"), form.get("notices", NoticeFault.NONE)
        if not SECONDS.fullmatch(seconds) or notices not in NOTICES:
            return PlainTextResponse("Choose one of the buttons.", 400, HEADERS)
        delay, fault = timedelta(seconds=int(seconds)), NoticeFault(notices)
        match form.get("choice"):
            case "pay":
                await self.sandbox.settle(self.reference, PaymentStatus.CAPTURED, fault, delay)
            case "decline":
                await self.sandbox.settle(self.reference, PaymentStatus.FAILED, fault, delay)
            case "later":
                await self.sandbox.delay(self.reference, delay)
            case _:
                return PlainTextResponse("Choose one of the buttons.", 400, HEADERS)
        here = urlsplit(str(self.request.url))
        return RedirectResponse(f"{here.path}?{here.query}", 303, HEADERS)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form of at most FORM_LIMIT_BYTES; empty for a longer body."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT_BYTES:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    return {name: values[0] for name, values in fields.items()}


def render_page(charge: SandboxCharge, return_url: str) -> str:
    """The page as HTML."""
    status, message = STATUS_MESSAGES.get(charge.status, ("open", "No real money moves here."))
    if charge.settles_at is not None:
        message = "On its way. The shop will be told when it arrives."
        if charge.status is not PaymentStatus.STARTED:
            message = "Done. The shop will be told later."
        status = "waiting"
    amount = charge.money(charge.amount)
    link = f'<a href="{escape(return_url)}" rel="noreferrer">Back to the shop</a>' if return_url else ""
    return PAGE.substitute(
        style=STYLE,
        amount=escape(f"{amount.amount} {amount.currency.value}"),
        order=escape(charge.order_number),
        reference=escape(charge.reference),
        status=status,
        message=escape(message),
        choices=CHOICES if status == "open" else "",
        back=link,
    )

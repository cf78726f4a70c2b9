"""The pay page of the sandbox provider, where a customer pays, declines or delays a payment."""

import base64
import hashlib
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
from gateways.payment.sandbox import SandboxProvider
from models import PaymentStatus, SandboxCharge

PAGE = Template(Path(__file__).with_name("sandbox.html").read_text(encoding="utf-8"))
STYLE = Path(__file__).with_name("sandbox.css").read_text(encoding="utf-8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

FORM_LIMIT_BYTES = 1_000
DELAY_SECONDS = 10

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

CHOICES = f"""
<form method="post">
  <button name="choice" value="pay" class="main">Pay</button>
  <button name="choice" value="decline">Decline</button>
  <fieldset>
    <legend>Or let the money take its time</legend>
    <label>Seconds <input name="seconds" type="number" min="0" max="3600" value="{DELAY_SECONDS}"></label>
    <button name="choice" value="later">Pay later</button>
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
        match form.get("choice"):
            case "pay":
                await self.sandbox.settle(self.reference, PaymentStatus.CAPTURED)
            case "decline":
                await self.sandbox.settle(self.reference, PaymentStatus.FAILED)
            case "later" if form.get("seconds", "").isdecimal() and len(form["seconds"]) < 6:
                await self.sandbox.delay(self.reference, timedelta(seconds=int(form["seconds"])))
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
        status, message = "waiting", "On its way. The shop will be told when it arrives."
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

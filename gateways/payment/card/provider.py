"""Payments by card through Stripe: each attempt is a PaymentIntent, confirmed by the customer's browser."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from gateways.payment.card.amounts import money_of, stripe_amount
from gateways.payment.card.api import (
    IDEMPOTENCY_ERROR,
    RESOURCE_MISSING,
    UNEXPECTED_STATE,
    CallRefused,
    FailureReplayed,
    KeyRefused,
    StripeApi,
    clean_text,
)
from gateways.payment.card.notices import read_event
from gateways.payment.card.objects import (
    REFERENCE,
    BalanceTransaction,
    Dispute,
    Intent,
    Item,
    ItemT,
    StripeEvent,
    StripePage,
    StripeRefund,
)
from gateways.payment.card.reports import dispute_status, report_dispute, report_intent, report_refund
from gateways.payment.card.statement import read_statement, write_statement
from gateways.payment.provider import (
    Attempt,
    ClientSecret,
    Closed,
    DisputeNotice,
    Ignored,
    NothingToDo,
    Notice,
    NoticeAnswer,
    NoticeRefused,
    NoticeRequest,
    NotYetThere,
    Paid,
    PaymentNotice,
    ProviderError,
    ProviderRefused,
    RefundNotice,
    RefundStart,
    Start,
    Started,
    Statement,
    Verdict,
)
from models import (
    AttemptReport,
    AttemptStatus,
    CurrencyCode,
    PaymentChannel,
    PaymentMethod,
    RefundOutcome,
    RefundReport,
)

KEY_LIFETIME = timedelta(hours=23)
"""How long an idempotency key is relied on; Stripe keeps it for a day at least and forgets it then."""

SEARCH_DELAY = timedelta(hours=1)
"""Until when something new may be missing from Stripe's search; in fair weather it is a minute."""

CLOCK_DIFFERENCE = timedelta(minutes=5)
LISTED_PAGES = 50

WITH_FEE = {"expand[]": "latest_charge.balance_transaction"}
WITH_INTENT = {"expand[]": "payment_intent"}

PAYMENT_EVENTS = frozenset(
    f"payment_intent.{name}"
    for name in ("succeeded", "payment_failed", "canceled", "processing", "requires_action")
)
REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
DISPUTE_EVENTS = frozenset(
    f"charge.dispute.{name}"
    for name in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
)

ANSWERS = {
    Verdict.ACCEPTED: NoticeAnswer(200),
    Verdict.REPEATED: NoticeAnswer(200),
    Verdict.REFUSED: NoticeAnswer(400),
    Verdict.RETRY: NoticeAnswer(503),
}


@dataclass(frozen=True, slots=True)
class CardProvider:
    """`webhook_secrets` are the signing secrets in force, `is_live` whether the keys take real money."""

    api: StripeApi
    publishable_key: str
    webhook_secrets: Sequence[str] = field(repr=False)
    is_live: bool
    clock: Callable[[], datetime]
    method: PaymentMethod = field(default=PaymentMethod.CARD, init=False)
    channels: frozenset[PaymentChannel] = field(
        default=frozenset({PaymentChannel.PAGE, PaymentChannel.MOBILE_PAGE, PaymentChannel.APP}), init=False
    )
    currencies: frozenset[CurrencyCode] = field(default=frozenset(CurrencyCode), init=False)

    async def start(self, start: Start) -> Started:
        """Create the intent, or find the one that this reference has created before."""
        amount = stripe_amount(start.amount)
        if self.clock() - start.starts_at > KEY_LIFETIME:
            found = await self.find_intent(start.reference)
            if found is not None:
                return self.describe_start(start, found)
        try:
            intent = await self.api.post(
                Intent,
                "/v1/payment_intents",
                {
                    "amount": str(amount),
                    "currency": start.amount.currency.lower(),
                    "payment_method_types[]": "card",
                    "description": start.subject,
                    f"metadata[{REFERENCE}]": start.reference,
                    "metadata[order]": start.order_number,
                },
                once=start.reference,
            )
        except FailureReplayed:
            # Nobody was given the secret of an intent that may exist all the same: it cannot be paid.
            intent = await self.find_started(start, ProviderRefused("It failed under this reference."))
        except CallRefused as refused:
            if refused.kind != IDEMPOTENCY_ERROR:
                raise
            intent = await self.find_started(start, refused)
        return self.describe_start(start, intent)

    async def find_started(self, start: Start, otherwise: ProviderRefused) -> Intent:
        found = await self.find_intent(start.reference)
        if found is None:
            raise otherwise
        return found

    def describe_start(self, start: Start, intent: Intent) -> Started:
        """How the customer pays the intent; ProviderRefused where it is another amount, or closed."""
        report = report_intent(intent, start.reference)
        if money_of(intent.amount, intent.currency) != start.amount:
            raise ProviderRefused("It was started with another amount.")
        match report.status:
            case AttemptStatus.CLOSED:
                raise ProviderRefused("It was closed.")
            case AttemptStatus.CAPTURED | AttemptStatus.PROCESSING:
                return Started(intent.id, NothingToDo())
        if not intent.client_secret:
            raise ProviderError("an attempt without its client secret")
        return Started(intent.id, ClientSecret(intent.client_secret, self.publishable_key))

    async def query(self, attempt: Attempt) -> AttemptReport:
        intent = await self.fetch_intent(attempt)
        if intent is None:
            return AttemptReport(
                attempt.reference, attempt.provider_reference, AttemptStatus.UNKNOWN, amount=None
            )
        return report_intent(intent, attempt.reference)

    async def close(self, attempt: Attempt) -> Closed | Paid | NotYetThere:
        """Cancel the intent; Paid, too, where it is processing: that cannot be cancelled."""
        intent = await self.fetch_intent(attempt)
        if intent is None:
            return NotYetThere()
        report = report_intent(intent, attempt.reference)
        if report.status in {AttemptStatus.CAPTURED, AttemptStatus.PROCESSING}:
            return Paid(report)
        if report.status is AttemptStatus.CLOSED:
            return Closed()
        path = f"/v1/payment_intents/{intent.id}/cancel"
        try:
            intent = await self.api.post(Intent, path, {"cancellation_reason": "abandoned"})
        except CallRefused as refused:
            if refused.code != UNEXPECTED_STATE:
                raise
            intent = await self.api.get(Intent, f"/v1/payment_intents/{intent.id}", WITH_FEE)
        report = report_intent(intent, attempt.reference)
        match report.status:
            case AttemptStatus.CLOSED:
                return Closed()
            case AttemptStatus.CAPTURED | AttemptStatus.PROCESSING:
                return Paid(report)
        raise ProviderError("an attempt that is neither closed nor paid")

    async def refund(self, refund: RefundStart) -> RefundReport:
        """Give money back once: what the reference has given back before is looked for first.

        The idempotency key alone would do for a day only, and a refund may be tried again later than that.
        """
        amount = stripe_amount(refund.amount)
        intent_id = await self.name_intent(refund.attempt)
        if intent_id is None:
            raise ProviderRefused("Nothing was paid.")
        made = await self.find_refund(intent_id, refund.reference)
        if made is None:
            form = {
                "payment_intent": intent_id,
                "amount": str(amount),
                "reason": "requested_by_customer",
                f"metadata[{REFERENCE}]": refund.reference,
                "metadata[reason]": clean_text(refund.reason),
            }
            made = await self.create_refund(refund, intent_id, form)
        if money_of(made.amount, made.currency) != refund.amount:
            raise ProviderRefused("It was refunded with another amount.")
        return report_refund(made, refund.reference)

    async def create_refund(self, refund: RefundStart, intent_id: str, form: dict[str, str]) -> StripeRefund:
        try:
            return await self.api.post(StripeRefund, "/v1/refunds", form, once=f"refund-{refund.reference}")
        except (FailureReplayed, CallRefused):
            # It may have been made by a call whose answer was lost.
            if (made := await self.find_refund(intent_id, refund.reference)) is not None:
                return made
            raise

    async def query_refund(self, refund: RefundStart, provider_reference: str | None) -> RefundReport:
        made: StripeRefund | None = None
        if provider_reference is not None:
            made = await self.get_or_none(StripeRefund, f"/v1/refunds/{provider_reference}")
        elif (intent_id := await self.name_intent(refund.attempt)) is not None:
            made = await self.find_refund(intent_id, refund.reference)
        if made is None:
            return RefundReport(refund.reference, provider_reference, RefundOutcome.UNKNOWN, amount=None)
        return report_refund(made, refund.reference)

    async def read(self, request: NoticeRequest) -> Notice:
        """What a notice is about, as it is now: events come out of order, so their content may be old.

        ProviderError where that cannot be asked for; the notice is then to come again.
        """
        event = read_event(request, self.webhook_secrets, is_live=self.is_live, account=self.api.account)
        try:
            if event.type in PAYMENT_EVENTS:
                return await self.read_payment(event)
            if event.type in REFUND_EVENTS:
                return await self.read_refund(event)
            if event.type in DISPUTE_EVENTS:
                return await self.read_dispute(event)
        except CallRefused as refused:
            raise NoticeRefused(f"about what Stripe does not know: {refused.code}") from None
        return Ignored(event.type)

    async def read_payment(self, event: StripeEvent) -> PaymentNotice | Ignored:
        intent = await self.api.get(Intent, f"/v1/payment_intents/{event.data.object.id}", WITH_FEE)
        if intent.reference is None:
            return Ignored("a payment that the shop has not started")
        return PaymentNotice(event.id, report_intent(intent, intent.reference))

    async def read_refund(self, event: StripeEvent) -> RefundNotice | Ignored:
        refund = await self.api.get(StripeRefund, f"/v1/refunds/{event.data.object.id}")
        if refund.reference is None:
            return Ignored("a refund that the shop has not started")
        return RefundNotice(event.id, report_refund(refund, refund.reference))

    async def read_dispute(self, event: StripeEvent) -> DisputeNotice | Ignored:
        dispute = await self.api.get(Dispute, f"/v1/disputes/{event.data.object.id}", WITH_INTENT)
        status = dispute_status(dispute)
        if status is None:
            return Ignored("a dispute that has moved no money yet")
        intent = dispute.payment_intent
        if not isinstance(intent, Intent) or intent.reference is None:
            return Ignored("a dispute about a payment that the shop has not started")
        return DisputeNotice(event.id, report_dispute(dispute, intent, status))

    def answer(self, verdict: Verdict) -> NoticeAnswer:
        """200 ends it; anything else is sent again for three days, forged ones are nobody's to send again."""
        return ANSWERS[verdict]

    async def check(self) -> Sequence[str]:
        """Read a page of what each permission is needed for, and an intent with the publishable key."""
        problems: list[str] = []
        newest: Intent | None = None
        for what in ("payment_intents", "refunds", "disputes", "balance_transactions"):
            try:
                if what == "payment_intents":
                    page = await self.api.get(StripePage[Intent], f"/v1/{what}", {"limit": "1"})
                    newest = page.data[0] if page.data else None
                else:
                    await self.api.get(StripePage[Item], f"/v1/{what}", {"limit": "1"})
            except (ProviderError, ProviderRefused) as error:
                problems.append(describe_problem("STRIPE_SECRET_KEY", what, error))
                if isinstance(error, KeyRefused) and error.status == 401:
                    return problems
        return [*problems, *await self.check_publishable_key(newest)]

    async def check_publishable_key(self, newest: Intent | None) -> Sequence[str]:
        """What is wrong with it: it may read an intent of its own account with the intent's secret.

        Where there is none yet, Stripe still says whether it is a key at all.
        """
        api = replace(self.api, key=self.publishable_key)
        try:
            if newest is None or newest.client_secret is None:
                await api.get(StripePage[Item], "/v1/refunds", {"limit": "1"})
            else:
                secret = {"client_secret": newest.client_secret}
                await api.get(Item, f"/v1/payment_intents/{newest.id}", secret)
        except KeyRefused as refused:
            if refused.code != "secret_key_required":
                return [describe_problem("STRIPE_PUBLISHABLE_KEY", "payment_intents", refused)]
        except CallRefused:
            return ["STRIPE_PUBLISHABLE_KEY is of another account than STRIPE_SECRET_KEY"]
        except ProviderError as error:
            return [describe_problem("STRIPE_PUBLISHABLE_KEY", "payment_intents", error)]
        return []

    async def fetch_statement(self, day: date) -> bytes:
        """What moved the balance on a day of UTC, as the balance report writes it."""
        begin = datetime.combine(day, time(), UTC)
        params = {
            "created[gte]": seconds_of(begin),
            "created[lt]": seconds_of(begin + timedelta(days=1)),
            "expand[]": "data.source",
        }
        listed = self.api.list_items(StripePage[BalanceTransaction], "/v1/balance_transactions", params)
        return write_statement([booked async for booked in listed])

    def read_statement(self, content: bytes) -> Statement:
        return read_statement(content)

    async def fetch_intent(self, attempt: Attempt) -> Intent | None:
        """The intent of an attempt as it is now; None where Stripe knows none."""
        if attempt.provider_reference is None:
            return await self.find_intent(attempt.reference)
        return await self.get_intent(attempt.provider_reference)

    async def name_intent(self, attempt: Attempt) -> str | None:
        if attempt.provider_reference is not None:
            return attempt.provider_reference
        found = await self.find_intent(attempt.reference)
        return found.id if found else None

    async def find_intent(self, reference: str) -> Intent | None:
        """The intent that was created for a reference whose answer was lost, as it is now.

        The search knows what is older, and lists know at once what was created. Its status may be old in
        the search.
        """
        query = {"query": f"metadata['{REFERENCE}']:'{reference}'", "limit": "10"}
        searched = await self.api.get(StripePage[Intent], "/v1/payment_intents/search", query)
        for intent in searched.data:
            if intent.reference == reference:
                return await self.get_intent(intent.id)
        since = {"created[gte]": seconds_of(self.clock() - SEARCH_DELAY - CLOCK_DIFFERENCE)}
        listed = self.api.list_items(StripePage[Intent], "/v1/payment_intents", since, pages=LISTED_PAGES)
        async for intent in listed:
            if intent.reference == reference:
                return await self.get_intent(intent.id)
        return None

    async def get_intent(self, name: str) -> Intent | None:
        return await self.get_or_none(Intent, f"/v1/payment_intents/{name}", WITH_FEE)

    async def get_or_none(
        self, model: type[ItemT], path: str, params: Mapping[str, str] | None = None
    ) -> ItemT | None:
        try:
            return await self.api.get(model, path, params)
        except CallRefused as refused:
            if refused.code != RESOURCE_MISSING:
                raise
            return None

    async def find_refund(self, intent_id: str, reference: str) -> StripeRefund | None:
        """The refund of an intent that bears the reference; lists know at once what was created."""
        listed = self.api.list_items(StripePage[StripeRefund], "/v1/refunds", {"payment_intent": intent_id})
        async for refund in listed:
            if refund.reference == reference:
                return refund
        return None


def seconds_of(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def describe_problem(setting: str, what: str, error: Exception) -> str:
    """A sentence about a call that did not succeed, for operators."""
    if isinstance(error, KeyRefused):
        return f"{setting} is not valid" if error.status == 401 else f"{setting} may not read {what}"
    return f"{setting} could not be tried: {error}"

"""What may be done with an order, in any sequence, and what must hold whatever was done."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from bench.replay_orders import UNDER_WAY
from bench.sequence_stage import BONUS_CAP
from bench.sequence_steps import OrderSteps, choose, is_back, units_of
from domain.aftersales.states import CHOOSABLE
from models import PaymentStatus, TicketStatus
from resolvers.ids import global_id

ANY = st.integers(0, 3)
"""Which of several things, counted round where there are fewer."""

FEW = st.sampled_from((1, 1, 2))
"""Units: most claims are about one."""

CLAIMS = (
    ("REFUND_ONLY", "DAMAGED"),
    ("REFUND_ONLY", "NOT_RECEIVED"),
    ("REFUND_ONLY", "NO_REASON"),
    ("RETURN_REFUND", "NO_REASON"),
    ("RETURN_REFUND", "QUALITY_FAULT"),
    ("EXCHANGE", "QUALITY_FAULT"),
    ("RESHIP", "MISSING_ITEM"),
    ("RESHIP", "NOT_RECEIVED"),
    ("REPAIR", "QUALITY_FAULT"),
    ("REPAIR", "FAULT_IN_USE"),
)
TRACKED = ("IN_TRANSIT", "DELIVERED", "DELIVERY_FAILED", "RETURNING", "RETURNED", "EXPIRED")
METHODS = (("SANDBOX",), ("SANDBOX", "SANDBOX"), ("CASH_ON_DELIVERY",), ("SANDBOX", "CASH_ON_DELIVERY"))
ROUNDS = 40
"""How often the staff look after what is open, each time some days later, until the order must have ended."""
LATER = timedelta(days=3)
AFTERWARDS = timedelta(days=40)
"""How long an order that has ended is watched: all windows close meanwhile."""


class OrderSequence(OrderSteps):
    """One order, of which anything may be tried at any time."""

    # --- the customer

    @initialize(
        seed=st.integers(0, 10**6),
        lines=st.integers(1, 2),
        methods=st.sampled_from(METHODS),
        begun=st.integers(0, 3),
    )
    def buy(self, seed: int, lines: int, methods: Sequence[str], begun: int) -> None:
        """Place the order; most sequences begin when it is paid or has arrived: much may follow then."""
        self.life = self.stage.create_life(seed)
        self.stage.run(self.life.place(self.life.choose_lines(lines=lines), methods=methods))
        if begun:
            self.take("pay", self.life.pay())
        if begun > 1:
            self.deliver_everything()
            self.collect_cash()

    @rule(which=ANY, paid=st.booleans())
    def pay(self, which: int, paid: bool) -> None:
        waiting = [each for each in self.read()["payments"] if each["status"] in {"PENDING", "FAILED"}]
        if payment := choose([each for each in waiting if each["method"] == "SANDBOX"], which):
            self.take(
                "pay", self.pay_one(payment["id"], PaymentStatus.CAPTURED if paid else PaymentStatus.FAILED)
            )

    async def pay_one(self, payment_id: str, status: PaymentStatus) -> None:
        await self.start_attempt(payment_id)
        await self.notify(self.attempts[-1], status)

    @rule(which=ANY)
    def start_to_pay(self, which: int) -> None:
        """The customer leaves the page of the provider without having paid."""
        waiting = [each for each in self.read()["payments"] if each["status"] in {"PENDING", "FAILED"}]
        if payment := choose(waiting, which):
            self.take("start_to_pay", self.start_attempt(payment["id"]))

    async def start_attempt(self, payment_id: str) -> None:
        started = await self.life.buy("paymentStart", "attempt { reference }", id=payment_id)
        self.attempts.append(started["attempt"]["reference"])

    @rule(which=ANY)
    def pay_late(self, which: int) -> None:
        """The customer pays by an attempt that was begun at any time before."""
        if reference := choose(self.attempts, which):
            self.take("pay_late", self.notify(reference, PaymentStatus.CAPTURED))

    async def notify(self, reference: str, status: PaymentStatus) -> None:
        sandbox = self.stage.shop.clients.shop.sandbox
        assert sandbox is not None
        await sandbox.settle(reference, status)

    @rule(which=ANY, quantity=st.integers(0, 4), more=st.booleans())
    def edit(self, which: int, quantity: int, more: bool) -> None:
        line = choose(self.read()["lines"], which)
        additions = [{"variantId": self.choose_good(), "quantity": 1}] if more else []
        changes = {"lines": [{"orderLineId": line["id"], "quantity": quantity}], "additions": additions}
        self.take("edit", self.life.edit(changes))

    @rule(which=ANY, quantity=st.integers(1, 3))
    def cancel_units(self, which: int, quantity: int) -> None:
        units = [{"orderLineId": choose(self.read()["lines"], which)["id"], "quantity": quantity}]
        self.take(
            "cancel_units",
            self.life.buy("orderLinesCancel", id=self.life.order_id, lines=units, reason="Too much."),
        )

    @rule(sure=st.integers(0, 4))
    def cancel(self, sure: int) -> None:
        """Most customers think better of it: an order that is cancelled early has little of a life."""
        if sure == 4:
            step = self.life.buy("orderCancel", id=self.life.order_id, reason="Changed my mind.")
            self.take("cancel", step)

    @rule()
    def confirm_receipt(self) -> None:
        self.take("confirm_receipt", self.life.buy("orderReceiptConfirm", id=self.life.order_id))

    # --- the warehouse and the carriers

    @rule(parcels=st.integers(1, 2))
    def pack(self, parcels: int) -> None:
        self.take("pack", self.life.pack(parcels=parcels))

    @rule(which=ANY)
    def dispatch(self, which: int) -> None:
        packed = [each for each in self.read()["shipments"] if each["dispatchedAt"] is None]
        if parcel := choose(packed, which):
            number = f"OWN{parcel['id'][-8:]}"
            step = self.life.serve("shipmentDispatch", id=parcel["id"], carrier="OWN", trackingNumber=number)
            self.take("dispatch", step, moved=-units_of(parcel))

    @rule(which=ANY, status=st.sampled_from(TRACKED))
    def track(self, which: int, status: str) -> None:
        if parcel := choose(self.left_parcels(), which):
            self.take("track", self.life.add_event(parcel, status))

    @rule()
    def deliver_everything(self) -> None:
        """Pack and send what waits, and bring all of it."""
        self.take("deliver_everything", self.life.pack())
        for which in range(len(self.read()["shipments"])):
            self.dispatch(which)
        for parcel in self.left_parcels():
            if parcel["status"] in UNDER_WAY:
                self.take("deliver_everything", self.life.add_event(parcel, "DELIVERED"))

    @rule()
    def collect_cash(self) -> None:
        self.take("collect_cash", self.life.collect())

    @rule(which=ANY, missing=st.booleans())
    def inspect(self, which: int, missing: bool) -> None:
        """Look at a parcel that has come back; a unit may be missing."""
        if parcel := choose(self.left_parcels("RETURNED"), which):
            lost = int(missing)
            first, *rest = parcel["lines"]
            found = [{"restocked": first["quantity"] - lost, "missing": lost}]
            found += [{"restocked": line["quantity"], "missing": 0} for line in rest]
            lines = [
                {"orderLineId": line["orderLine"]["id"], **each}
                for line, each in zip(parcel["lines"], found, strict=True)
            ]
            step = self.life.serve("shipmentInspect", id=parcel["id"], lines=lines)
            self.take("inspect", step, moved=0 if is_back(parcel) else units_of(parcel) - lost)

    @rule(which=ANY, missing=st.booleans(), steps=st.integers(1, 4))
    def come_back(self, which: int, missing: bool, steps: int) -> None:
        """A parcel leaves and comes back, is looked at, and is sent again."""
        natural: tuple[Callable[[], None], ...] = (
            lambda: self.pack(1),
            lambda: self.dispatch(-1),
            lambda: self.track(which, "RETURNED"),
            lambda: self.inspect(which, missing),
            lambda: self.end_parcel(which, "shipmentSendAgain"),
        )
        for step in natural[: 1 + steps]:
            step()

    @rule(which=ANY, mutation=st.sampled_from(["shipmentEnd", "shipmentSendAgain"]))
    def end_parcel(self, which: int, mutation: str) -> None:
        if parcel := choose(self.left_parcels(), which):
            self.take("end_parcel", self.life.serve(mutation, id=parcel["id"]))

    @rule(which=ANY)
    def correct(self, which: int) -> None:
        if parcel := choose(self.left_parcels(), which):
            self.take("correct", self.life.serve("shipmentCorrect", id=parcel["id"], reason="Another one."))

    # --- after the sale

    @rule(
        claim=st.sampled_from(CLAIMS), which=ANY, quantity=FEW, steps=st.integers(0, 4), credit=st.booleans()
    )
    def claim(self, claim: tuple[str, str], which: int, quantity: int, steps: int, credit: bool) -> None:
        lines = [{"orderLineId": choose(self.read()["lines"], which)["id"], "quantity": quantity}]
        self.take("claim", self.life.open_ticket(*claim, lines))
        if credit:
            self.choose_target(-1, "STORE_CREDIT")
        self.go_on(-1, steps)

    @rule(which=ANY, to=st.sampled_from(["STORE_CREDIT", "ORIGINAL"]))
    def choose_target(self, which: int, to: str) -> None:
        """Have the refund of a ticket go into store credit, with a bonus, or back."""
        if ticket := self.choose_ticket(which):
            self.take("choose_target", self.life.buy("ticketRefundChoose", id=ticket, refundTo=to))

    @rule(which=ANY, quantity=FEW, claim=st.sampled_from(CLAIMS))
    def claim_of_parcel(self, which: int, quantity: int, claim: tuple[str, str]) -> None:
        """Claim units of any parcel, replacements included."""
        if parcel := choose(self.left_parcels(), which):
            line = {"orderLineId": parcel["lines"][0]["orderLine"]["id"], "quantity": quantity}
            self.take("claim_of_parcel", self.life.open_ticket(*claim, [line | {"shipmentId": parcel["id"]}]))

    @rule(which=ANY, agreed=st.booleans())
    def answer(self, which: int, agreed: bool) -> None:
        if ticket := self.choose_ticket(which, TicketStatus.APPLIED):
            self.take("answer", self.answer_one(ticket, agreed))

    def answer_one(self, ticket: str, agreed: bool) -> Coroutine[Any, Any, Any]:
        if agreed:
            return self.life.serve("ticketAgree", id=ticket)
        return self.life.serve("ticketRefuse", id=ticket, reason="Nothing can be seen.")

    @rule(which=ANY)
    def escalate(self, which: int) -> None:
        if ticket := self.choose_ticket(which, TicketStatus.REFUSED, TicketStatus.RETURN_REFUSED):
            self.take("escalate", self.life.buy("ticketEscalate", id=ticket))

    @rule(which=ANY, agreed=st.booleans())
    def decide(self, which: int, agreed: bool) -> None:
        """A manager decides; what had come back and was refused is put into the stock now."""
        found = self.find_tickets(TicketStatus.ARBITRATION)
        if (id := choose(found, which)) is not None:
            ticket = global_id("Ticket", id)
            units = self.stage.count_refused_goods(id) if agreed and self.goods_of_ticket(ticket) else 0
            step = self.life.serve("ticketDecide", id=ticket, agreed=agreed, reason="As it was said.")
            self.take("decide", step, moved=units)

    @rule(which=ANY)
    def send_back(self, which: int) -> None:
        if ticket := self.choose_ticket(which, TicketStatus.AWAITING_RETURN):
            self.take("send_back", self.life.send_back(ticket))

    @rule(which=ANY, accepted=st.booleans(), damaged=st.booleans())
    def receive_back(self, which: int, accepted: bool, damaged: bool) -> None:
        if ticket := self.choose_ticket(which):
            units = self.goods_of_ticket(ticket) if accepted or self.is_late(ticket) else 0
            step = self.life.receive_back(ticket, accepted=accepted, damaged=damaged)
            self.take("receive_back", step, moved=units)

    @rule(which=ANY, condition=st.sampled_from(["DAMAGED", "INCOMPLETE", "NOT_OURS", "MISSING"]))
    def receive_in_part(self, which: int, condition: str) -> None:
        """One unit of a return is as new, and the others are not accepted."""
        if ticket := self.choose_ticket(which, TicketStatus.RETURN_SHIPPED):
            moved = min(1, self.goods_of_ticket(ticket))
            self.take("receive_in_part", self.life.receive_in_part(ticket, condition), moved=moved)

    @rule(which=ANY, repaired=st.booleans())
    def finish_repair(self, which: int, repaired: bool) -> None:
        if ticket := self.choose_ticket(which, TicketStatus.REPAIRING):
            self.take("finish_repair", self.end_repair(ticket, repaired=repaired))

    @rule(which=ANY, steps=st.integers(1, 5))
    def go_on(self, which: int, steps: int) -> None:
        """A claim is agreed to, sent back, received and replaced, so that some get far."""
        natural: tuple[Callable[[], None], ...] = (
            lambda: self.answer(which, True),
            lambda: self.send_back(which),
            lambda: self.receive_back(which, True, False),
            lambda: self.finish_repair(which, which % 2 == 0),
            lambda: self.deliver_everything(),
        )
        for step in natural[:steps]:
            step()

    @rule(which=ANY, quantity=FEW, steps=st.integers(1, 4), paid=st.booleans())
    def exchange(self, which: int, quantity: int, steps: int, paid: bool) -> None:
        """Exchange units for others, which may cost more or less."""
        line = {"orderLineId": choose(self.read()["lines"], which)["id"], "quantity": quantity}
        claimed = line | {"variantId": self.choose_good()}
        self.take("exchange", self.life.open_ticket("EXCHANGE", "NO_REASON", [claimed]))
        self.go_on(-1, steps)
        if paid:
            self.pay_difference(-1)

    @rule(which=ANY)
    def pay_difference(self, which: int) -> None:
        """Pay what a replacement costs more than what it replaces."""
        if ticket := self.choose_ticket(which, TicketStatus.AWAITING_PAYMENT):
            self.take("pay_difference", self.life.buy("ticketDifferencePay", id=ticket, method="SANDBOX"))
            self.pay(-1, True)
            self.stage.run(self.stage.jobs.run())

    @rule(which=ANY, choice=st.sampled_from(["MONEY", "WAIT", "VARIANT", "SAME_UNITS"]))
    def choose_replacement(self, which: int, choice: str) -> None:
        terms = {"variantId": self.choose_good()} if choice == "VARIANT" else {}
        if ticket := self.choose_ticket(which, *CHOOSABLE):
            step = self.life.buy("ticketReplacementChoose", id=ticket, choice=choice, **terms)
            self.take("choose_replacement", step)

    @rule(which=ANY)
    def cancel_claim(self, which: int) -> None:
        if ticket := self.choose_ticket(which):
            self.take("cancel_claim", self.life.buy("ticketCancel", id=ticket))

    @rule(cents=st.sampled_from([1, 100, 5_000, 10**6]))
    def give_back(self, cents: int) -> None:
        """Goodwill of the staff."""
        terms: dict[str, Any] = {
            "orderId": self.life.order_id,
            "amount": {"amount": f"{cents / 100:.2f}", "currencyCode": "CNY"},
            "reason": "Sorry.",
            "idempotencyKey": f"goodwill-{next(self.stage.numbers)}",
        }
        self.take("give_back", self.life.serve("paymentRefund", **terms))

    # --- time

    @rule(hours=st.sampled_from([1, 30, 24 * 4, 24 * 11]))
    def wait(self, hours: int) -> None:
        self.stage.shop.clock.now += timedelta(hours=hours)
        self.stage.run(self.stage.jobs.run())

    # --- what must hold

    @invariant()
    def goods_are_where_the_steps_have_brought_them(self) -> None:
        assert self.stage.count_goods() == self.goods

    @invariant()
    def no_more_is_refunded_than_was_captured(self) -> None:
        if hasattr(self, "life"):
            captured, refunded = self.stage.count_money(self.life.number)
            assert refunded <= captured

    @invariant()
    def no_more_is_added_than_the_cap(self) -> None:
        if hasattr(self, "life"):
            assert self.stage.count_bonuses(self.life.number) <= BONUS_CAP

    def teardown(self) -> None:
        """The order ends once the staff have done what is open, and nothing changes any more."""
        if not getattr(self, "life", None) or not self.life.number:
            return
        for _ in range(ROUNDS):
            if self.is_over():
                break
            self.serve_everything()
            self.stage.shop.clock.now += LATER
            self.stage.run(self.stage.jobs.run())
        assert self.is_over(), (self.status, self.stage.read_tickets(self.life.number))
        self.stage.shop.clock.now += AFTERWARDS
        self.stage.run(self.stage.jobs.run())
        assert self.is_over(), (self.status, self.stage.read_tickets(self.life.number))
        assert self.stage.count_goods() == self.goods
        kept, believed = self.stage.count_money_at_provider(self.life.number)
        assert kept == believed
        captured, refunded = self.stage.count_money(self.life.number)
        assert refunded <= captured
        assert self.stage.find_broken_rules() == []
        self.stage.ends[self.status.value] += 1

    def serve_everything(self) -> None:
        """Do what waits for the staff, a customer who answers nothing, and carriers who bring everything."""
        for _, id in self.stage.read_tickets(self.life.number):
            ticket = global_id("Ticket", id)
            self.take("serve_everything", self.answer_one(ticket, True))
            self.take(
                "serve_everything",
                self.life.serve("ticketDecide", id=ticket, agreed=False, reason="No."),
            )
            self.receive_back_all(ticket)
            self.finish_repair(0, True)
        self.approve_refunds()
        self.deliver_everything()
        self.collect_cash()
        for which in range(len(self.left_parcels())):
            self.inspect(which, False)
            self.end_parcel(which, "shipmentEnd")

    def receive_back_all(self, ticket: str) -> None:
        step = self.life.receive_back(ticket)
        self.take("receive_back_all", step, moved=self.goods_of_ticket(ticket))

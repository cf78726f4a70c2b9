"""Refund amounts, to the last cent, however a line is split over tickets."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from domain.aftersales.refund_amounts import cap_amounts, line_refund, shipping_refund
from domain.aftersales.rules import ClaimedUnits, LineUnits, TicketClaim
from models import CurrencyCode, Order, OrderLine, TicketReason, TicketType


@st.composite
def order_lines(draw: st.DrawFn) -> OrderLine:
    unit, quantity = draw(st.integers(0, 1_000_000)), draw(st.integers(1, 60))
    return OrderLine(
        id=1,
        currency=CurrencyCode.CNY,
        unit_amount=unit,
        quantity=quantity,
        discount_amount=draw(st.integers(0, unit * quantity)),
        cancelled_amount=0,
    )


def refund(line: OrderLine, units: LineUnits, quantity: int) -> int:
    """Refund units and remember it, as a ticket does."""
    amount = line_refund(line, units, quantity)
    units.refunded += quantity
    units.refunded_amount += amount
    return amount


@given(order_lines())
def test_a_line_refunded_unit_by_unit_gives_exactly_its_total(line: OrderLine) -> None:
    units = LineUnits(bought=line.quantity)

    amounts = [refund(line, units, 1) for _ in range(line.quantity)]

    assert sum(amounts) == line.total.minor
    assert max(amounts) - min(amounts) <= 1


@given(order_lines(), st.data())
def test_a_line_refunded_in_any_parts_gives_exactly_its_total(line: OrderLine, data: st.DataObject) -> None:
    units, amounts = LineUnits(bought=line.quantity), []
    while left := line.quantity - units.refunded:
        amounts.append(refund(line, units, data.draw(st.integers(1, left))))

    assert sum(amounts) == line.total.minor
    assert min(amounts) >= 0


@given(order_lines(), st.data())
def test_a_unit_that_brings_back_less_does_not_raise_what_others_bring(
    line: OrderLine, data: st.DataObject
) -> None:
    refunded = data.draw(st.integers(0, line.quantity - 1))
    units = LineUnits(bought=line.quantity, refunded=refunded)
    units.refunded_amount = data.draw(st.integers(0, line.total.minor * refunded // line.quantity))

    amount = line_refund(line, units, quantity := data.draw(st.integers(1, line.quantity - refunded)))

    assert amount * line.quantity <= (line.total.minor + line.quantity * line.quantity) * quantity


def test_three_teapots_of_which_one_brought_back_a_part_cost_what_they_cost() -> None:
    line = OrderLine(
        id=1, currency=CurrencyCode.CNY, unit_amount=5_800, quantity=3, discount_amount=0, cancelled_amount=0
    )

    assert line_refund(line, LineUnits(bought=3, refunded=1, refunded_amount=100), 1) == 5_800
    assert line_refund(line, LineUnits(bought=3, refunded=1, refunded_amount=100), 2) == 11_600


@given(order_lines(), st.data())
def test_declined_tickets_leave_no_cent_behind(line: OrderLine, data: st.DataObject) -> None:
    units = LineUnits(bought=line.quantity)
    kept: list[tuple[int, int]] = []
    for _ in range(data.draw(st.integers(0, 20))):
        left = line.quantity - units.refunded
        if kept and (not left or data.draw(st.booleans())):
            quantity, amount = kept.pop(data.draw(st.integers(0, len(kept) - 1)))
            units.refunded -= quantity
            units.refunded_amount -= amount
        elif left:
            quantity = data.draw(st.integers(1, left))
            kept.append((quantity, refund(line, units, quantity)))
        assert 0 <= units.refunded_amount <= line.total.minor
    if rest := line.quantity - units.refunded:
        kept.append((rest, refund(line, units, rest)))

    assert sum(amount for _, amount in kept) == line.total.minor


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8), st.integers(0, 50_000))
def test_amounts_are_capped_at_exactly_what_is_left(amounts: list[int], left: int) -> None:
    shares = cap_amounts(amounts, left)

    assert sum(shares) == min(sum(amounts), left)
    assert all(0 <= share <= amount for share, amount in zip(shares, amounts, strict=True))


FEE = 1_200


def fee(*, reason: TicketReason, claimed: Sequence[int], units: Sequence[LineUnits]) -> int:
    order = Order(shipping_amount=FEE, cancelled_shipping_amount=0)
    lines = tuple(ClaimedUnits(number, quantity) for number, quantity in enumerate(claimed) if quantity)
    claim = TicketClaim(TicketType.RETURN_REFUND, reason, lines)
    return shipping_refund(order, claim, dict(enumerate(units)))


def test_the_fee_comes_back_with_the_whole_order_and_for_faults_only() -> None:
    fault, whim = TicketReason.DAMAGED, TicketReason.NO_REASON
    fresh = [LineUnits(bought=2), LineUnits(bought=1)]
    partly = [LineUnits(bought=2, refunded_for_fault=2), LineUnits(bought=1)]

    assert fee(reason=fault, claimed=[2, 1], units=fresh) == FEE
    assert fee(reason=fault, claimed=[2, 0], units=fresh) == 0
    assert fee(reason=whim, claimed=[2, 1], units=fresh) == 0
    assert fee(reason=fault, claimed=[0, 1], units=partly) == FEE

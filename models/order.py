from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    DDL,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    event,
    false,
    func,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.account import AddressColumns
from models.base import Base, HasCurrency, Id, JsonObject, Minor, Translations
from models.claim_policy import ClaimExclusion
from models.money import CurrencyCode, Money
from models.place import WindowColumns, geocoding_index
from models.shipping import ShippingMethod


class OrderStatus(StrEnum):
    """The status of an order between the shop and its customer."""

    PENDING = "PENDING"
    """Waiting for its payments in advance."""
    CONFIRMED = "CONFIRMED"
    """Paid in advance, or to be paid at the door."""
    COMPLETED = "COMPLETED"
    """Everything was delivered, its receipt confirmed, and nothing is open."""
    CANCELLED = "CANCELLED"
    """Cancelled before anything was sent."""
    CLOSED = "CLOSED"
    """Everything that was paid was refunded."""


class OrderPaymentStatus(StrEnum):
    """How much of an order is paid and refunded, derived from the ledger."""

    UNPAID = "UNPAID"
    """Nothing is paid."""
    PARTIALLY_PAID = "PARTIALLY_PAID"
    """A part is paid."""
    PAID = "PAID"
    """All of it is paid."""
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    """A part of what was paid was refunded."""
    REFUNDED = "REFUNDED"
    """All that was paid was refunded."""


class FulfilmentStatus(StrEnum):
    """How much of an order is packed, shipped and delivered, derived from its shipments."""

    UNFULFILLED = "UNFULFILLED"
    """Nothing is packed."""
    PACKING = "PACKING"
    """Something is packed, nothing is shipped."""
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    """A part is shipped."""
    SHIPPED = "SHIPPED"
    """All of it is shipped."""
    PARTIALLY_DELIVERED = "PARTIALLY_DELIVERED"
    """A part is delivered."""
    DELIVERED = "DELIVERED"
    """All of it is delivered."""
    RETURNED = "RETURNED"
    """All of it was returned undelivered."""


class OrderDisplayStatus(StrEnum):
    """The one status that customers read, derived from the three others."""

    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    """Waiting to be paid."""
    PREPARING = "PREPARING"
    """Being prepared: nothing that is sent has left yet."""
    ON_THE_WAY = "ON_THE_WAY"
    """On its way, at least in part."""
    READY_FOR_PICKUP = "READY_FOR_PICKUP"
    """At least a part waits at its place, or in a locker of the carrier, for the customer to collect it."""
    DELIVERED = "DELIVERED"
    """Delivered."""
    RETURNED = "RETURNED"
    """Returned to the shop undelivered."""
    COMPLETED = "COMPLETED"
    """Delivered, and its receipt confirmed."""
    CANCELLED = "CANCELLED"
    """Cancelled."""
    REFUNDED = "REFUNDED"
    """Refunded in full."""


DISPLAY_STATUS = (
    "CASE status WHEN 'PENDING' THEN 'AWAITING_PAYMENT' WHEN 'COMPLETED' THEN 'COMPLETED' "
    "WHEN 'CANCELLED' THEN 'CANCELLED' WHEN 'CLOSED' THEN 'REFUNDED' ELSE CASE "
    "WHEN ready_for_pickup THEN 'READY_FOR_PICKUP' "
    "WHEN fulfilment_status IN ('UNFULFILLED', 'PACKING') THEN 'PREPARING' "
    "WHEN fulfilment_status = 'PARTIALLY_DELIVERED' AND nothing_sent THEN 'PREPARING' "
    "WHEN fulfilment_status = 'DELIVERED' THEN 'DELIVERED' "
    "WHEN fulfilment_status = 'RETURNED' THEN 'RETURNED' ELSE 'ON_THE_WAY' END END"
)
"""`Order.display_status` in SQL; an index over exactly this text finds orders by it."""

PHONE_TAIL = "substr(phone, length(phone) - 3)"
"""The last four characters of a phone number in SQL; an index over exactly this text finds deliveries."""


class Order(HasCurrency, Base):
    """What a customer bought, at the prices agreed when it was placed."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(
            "total_amount"
            " = subtotal_amount - discount_amount + shipping_amount - cancelled_amount + extra_amount"
            " AND total_amount >= 0 AND cancelled_amount >= 0",
            name="total",
        ),
        Index("ix_orders_account_id_id", "account_id", "id"),
        Index("ix_orders_status_id", "status", "id"),
        Index("ix_orders_payment_due_at", "payment_due_at"),
        Index("ix_orders_receipt_due_at", "receipt_due_at"),
        Index("ix_orders_placed_at_id", "placed_at", "id"),
        Index("ix_orders_total_amount_id", "total_amount", "id"),
        Index("ix_orders_payment_status_id", "payment_status", "id"),
        Index("ix_orders_fulfilment_status_id", "fulfilment_status", "id"),
        Index("ix_orders_number_begins", "number", postgresql_ops={"number": "varchar_pattern_ops"}),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[OrderStatus]
    payment_status: Mapped[OrderPaymentStatus]
    fulfilment_status: Mapped[FulfilmentStatus]
    ready_for_pickup: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a parcel of it waits for the customer to collect it, derived from its shipments."""
    nothing_sent: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether only what needs no shipping is delivered of it yet, derived from its shipments."""
    currency: Mapped[CurrencyCode]
    subtotal_amount: Mapped[Minor]
    discount_amount: Mapped[Minor]
    shipping_amount: Mapped[Minor]
    cancelled_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What was cancelled before it was paid, and is not due any more."""
    cancelled_shipping_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """Fees already cancelled or refunded, of deliveries of which nothing is left to send."""
    extra_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What payments are for beyond the price: an edit that waits to be paid, or what an edit gave back."""
    credited_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What was invoiced and credited again, beside what was cancelled: edits made it cheaper."""
    total_amount: Mapped[Minor]
    """What all payments come to."""
    note: Mapped[str]
    version: Mapped[int]
    placed_at: Mapped[datetime]
    payment_due_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    receipt_due_at: Mapped[datetime | None]
    receipt_confirmed_at: Mapped[datetime | None]
    """When the receipt was confirmed or counted as confirmed; kept when the order opens again."""
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    held_at: Mapped[datetime | None]
    hold_reason: Mapped[str | None]

    @property
    def awaits_payment(self) -> bool:
        """Whether it is to be paid in advance, wholly or, of one confirmed for cash, in part."""
        return self.status is OrderStatus.PENDING or self.payment_due_at is not None

    @property
    def is_delivered_in_part(self) -> bool:
        return self.fulfilment_status is FulfilmentStatus.PARTIALLY_DELIVERED

    @property
    def subtotal(self) -> Money:
        return self.money(self.subtotal_amount)

    @property
    def discount(self) -> Money:
        return self.money(self.discount_amount)

    @property
    def shipping(self) -> Money:
        return self.money(self.shipping_amount)

    @property
    def cancelled(self) -> Money:
        return self.money(self.cancelled_amount)

    @property
    def total(self) -> Money:
        """The price: what is to be paid, without what is only paid for an edit that waits."""
        return self.money(self.total_amount - self.extra_amount)

    @property
    def display_status(self) -> OrderDisplayStatus:
        match self.status:
            case OrderStatus.PENDING:
                return OrderDisplayStatus.AWAITING_PAYMENT
            case OrderStatus.COMPLETED:
                return OrderDisplayStatus.COMPLETED
            case OrderStatus.CANCELLED:
                return OrderDisplayStatus.CANCELLED
            case OrderStatus.CLOSED:
                return OrderDisplayStatus.REFUNDED
            case OrderStatus.CONFIRMED if self.ready_for_pickup:
                return OrderDisplayStatus.READY_FOR_PICKUP
            case OrderStatus.CONFIRMED if self.nothing_sent and self.is_delivered_in_part:
                return OrderDisplayStatus.PREPARING
            case OrderStatus.CONFIRMED:
                return DISPLAY_STATUS_OF_FULFILMENT[self.fulfilment_status]


DISPLAY_STATUS_OF_FULFILMENT = {
    FulfilmentStatus.UNFULFILLED: OrderDisplayStatus.PREPARING,
    FulfilmentStatus.PACKING: OrderDisplayStatus.PREPARING,
    FulfilmentStatus.PARTIALLY_SHIPPED: OrderDisplayStatus.ON_THE_WAY,
    FulfilmentStatus.SHIPPED: OrderDisplayStatus.ON_THE_WAY,
    FulfilmentStatus.PARTIALLY_DELIVERED: OrderDisplayStatus.ON_THE_WAY,
    FulfilmentStatus.DELIVERED: OrderDisplayStatus.DELIVERED,
    FulfilmentStatus.RETURNED: OrderDisplayStatus.RETURNED,
}


class OrderLine(HasCurrency, Base):
    """Units of a variant on an order, with the title and price of the moment it was placed."""

    __tablename__ = "order_lines"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("0 <= cancelled AND cancelled <= quantity", name="cancelled"),
        CheckConstraint(
            "0 <= discount_amount AND discount_amount <= unit_amount * quantity",
            name="discount",
        ),
        Index("ix_order_lines_variant_id_order_id", "variant_id", "order_id"),
        Index("ix_order_lines_product_id_order_id", "product_id", "order_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    sku: Mapped[str | None]
    title: Mapped[str]
    translations: Mapped[Translations | None]
    """The title in other languages when it was placed; null for orders from before they were kept."""
    options: Mapped[list[JsonObject]]
    """Those of the variant when it was ordered, with their translations."""
    picture_url: Mapped[str | None]
    weight_grams: Mapped[int]
    requires_shipping: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether it is sent or collected; otherwise it is delivered when it is paid."""
    currency: Mapped[CurrencyCode]
    unit_amount: Mapped[Minor]
    quantity: Mapped[int]
    discount_amount: Mapped[Minor]
    cancelled: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units that were cancelled before they were sent, or came back undelivered."""
    cancelled_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What those units cost."""
    exclusion: Mapped[ClaimExclusion | None]
    """Why it cannot be returned without a reason, as the buyer confirmed."""
    exclusion_confirmed_at: Mapped[datetime | None]
    discounts: Mapped[list[dict[str, int]]] = mapped_column(default=list)
    """[{"promotion_id": 7, "amount": 500}, ...]: the parts of the discount."""

    @property
    def unit_price(self) -> Money:
        return self.money(self.unit_amount)

    @property
    def discount(self) -> Money:
        return self.money(self.discount_amount)

    @property
    def total(self) -> Money:
        """What all units cost after the discount."""
        return self.money(self.unit_amount * self.quantity - self.discount_amount)


class Delivery(AddressColumns, WindowColumns, HasCurrency, Base):
    """The part of an order that goes to one address by one method."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        Index("ix_deliveries_postal_code", "postal_code"),
        geocoding_index("deliveries"),
        CheckConstraint("0 <= discount_amount AND discount_amount <= fee_amount", name="discount"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    """The ticket whose replacement this is; None for what was ordered originally."""
    sends_back: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it brings its customer what they had sent back for the ticket and the shop has not kept: then
    nothing of it is of the stock, of the order or paid for."""
    position: Mapped[int]
    method: Mapped[ShippingMethod]
    currency: Mapped[CurrencyCode]
    fee_amount: Mapped[Minor]
    discount_amount: Mapped[Minor] = mapped_column(default=0)
    """What the promotions take off the fee."""
    discounts: Mapped[list[dict[str, int]]] = mapped_column(default=list)

    @property
    def fee(self) -> Money:
        return self.money(self.fee_amount)

    @property
    def discount(self) -> Money:
        return self.money(self.discount_amount)

    @property
    def total(self) -> Money:
        """The fee after the discount."""
        return self.money(self.fee_amount - self.discount_amount)

    @property
    def address(self) -> AddressColumns:
        return self


class DeliveryLine(Base):
    """Units of one order line that leave one warehouse for one address."""

    __tablename__ = "delivery_lines"
    __table_args__ = (CheckConstraint("0 <= packed AND packed <= quantity", name="packed"),)

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), index=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    quantity: Mapped[int]
    """None where all of them were cancelled after a parcel with them had come back."""
    packed: Mapped[int]
    ended: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units that were sent and came back undelivered, and are no part of the order any more."""
    reserved: Mapped[bool]
    """False for variants whose stock is not counted, of which nothing is reserved or backordered."""
    variant_id: Mapped[int | None] = mapped_column(ForeignKey("variants.id"))
    """What is sent in place of the variant that was ordered; None where it is that."""
    reduction_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What one unit of it costs less than the one that was ordered; negative: more."""
    replaced_reduction_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """The same of the unit that it replaces, which may have been a replacement itself."""


def sent_variant_id() -> ColumnElement[int]:
    """The variant that a DeliveryLine of an OrderLine sends: what was ordered, or another in its place."""
    return func.coalesce(DeliveryLine.variant_id, OrderLine.variant_id)


class OrderNote(Base):
    """A note about an order, by and for the staff."""

    __tablename__ = "order_notes"
    __table_args__ = (Index("ix_order_notes_order_id", "order_id"),)

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    text: Mapped[str]
    created_at: Mapped[datetime]


INDEXED = (
    (Order, f"CREATE INDEX ix_orders_displayed_id ON orders (({DISPLAY_STATUS}), id)"),
    (Delivery, f"CREATE INDEX ix_deliveries_phone_tail ON deliveries (({PHONE_TAIL}), order_id)"),
)
"""Indexes over expressions, for PostgreSQL only."""

for _row, _statement in INDEXED:
    event.listen(_row.__table__, "after_create", DDL(_statement).execute_if(dialect="postgresql"))

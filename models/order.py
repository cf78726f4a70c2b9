from datetime import datetime
from enum import StrEnum

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from models.account import PostalAddress
from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode, Money
from models.shipping import ShippingMethod


class OrderStatus(StrEnum):
    """Where an order stands between the shop and its customer."""

    PENDING = "PENDING"
    """Waits for its payments in advance."""
    CONFIRMED = "CONFIRMED"
    """Accepted: paid in advance, or to be paid at the door."""
    COMPLETED = "COMPLETED"
    """Everything arrived and its receipt was confirmed."""
    CANCELLED = "CANCELLED"
    """Ended before anything left."""
    CLOSED = "CLOSED"
    """Everything that was paid has gone back."""


class OrderPaymentStatus(StrEnum):
    """What the books say has been paid for an order."""

    UNPAID = "UNPAID"
    """Nothing has arrived."""
    PARTIALLY_PAID = "PARTIALLY_PAID"
    """A part has arrived."""
    PAID = "PAID"
    """All of it has arrived."""
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    """A part of what arrived went back."""
    REFUNDED = "REFUNDED"
    """All that arrived went back."""


class FulfilmentStatus(StrEnum):
    """How much of an order is on its way or has arrived."""

    UNFULFILLED = "UNFULFILLED"
    """Nothing is packed."""
    PACKING = "PACKING"
    """Something is packed, nothing has left."""
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"
    """A part has left."""
    SHIPPED = "SHIPPED"
    """All of it has left."""
    PARTIALLY_DELIVERED = "PARTIALLY_DELIVERED"
    """A part has arrived."""
    DELIVERED = "DELIVERED"
    """All of it has arrived."""
    RETURNED = "RETURNED"
    """All of it came back undelivered."""


class OrderHeadline(StrEnum):
    """What a customer reads: the one word the three axes come down to."""

    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    """Waits to be paid."""
    PREPARING = "PREPARING"
    """Is being prepared."""
    ON_THE_WAY = "ON_THE_WAY"
    """Is on its way, at least in part."""
    DELIVERED = "DELIVERED"
    """Has arrived."""
    RETURNED = "RETURNED"
    """Could not be delivered and came back to us."""
    COMPLETED = "COMPLETED"
    """Has arrived, and its receipt was confirmed."""
    CANCELLED = "CANCELLED"
    """Was cancelled."""
    REFUNDED = "REFUNDED"
    """Was refunded in full."""


HEADLINE = (
    "CASE status WHEN 'PENDING' THEN 'AWAITING_PAYMENT' WHEN 'COMPLETED' THEN 'COMPLETED' "
    "WHEN 'CANCELLED' THEN 'CANCELLED' WHEN 'CLOSED' THEN 'REFUNDED' ELSE CASE "
    "WHEN fulfilment_status IN ('UNFULFILLED', 'PACKING') THEN 'PREPARING' "
    "WHEN fulfilment_status = 'DELIVERED' THEN 'DELIVERED' "
    "WHEN fulfilment_status = 'RETURNED' THEN 'RETURNED' ELSE 'ON_THE_WAY' END END"
)
"""`Order.headline` for the database: by it orders are found, through an index of this very text."""

PHONE_TAIL = "substr(phone, length(phone) - 3)"
"""The last four characters of a phone number, as they are indexed."""


class Order(HasCurrency, Base):
    """What a customer bought, at the prices agreed when it was placed."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(
            "total_amount = goods_amount - discount_amount + shipping_amount - cancelled_amount"
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
    currency: Mapped[CurrencyCode]
    goods_amount: Mapped[Minor]
    discount_amount: Mapped[Minor]
    shipping_amount: Mapped[Minor]
    cancelled_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What was cancelled before it was paid: nobody owes it any more."""
    cancelled_shipping_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """Fees of deliveries of which nothing is left to send, taken off or given back already."""
    total_amount: Mapped[Minor]
    note: Mapped[str]
    version: Mapped[int]
    placed_at: Mapped[datetime]
    payment_due_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    receipt_due_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    held_at: Mapped[datetime | None]
    """Since when staff let nothing of it leave; None when it may go on."""
    hold_reason: Mapped[str | None]

    @property
    def goods(self) -> Money:
        return self.money(self.goods_amount)

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
        return self.money(self.total_amount)

    @property
    def headline(self) -> OrderHeadline:
        match self.status:
            case OrderStatus.PENDING:
                return OrderHeadline.AWAITING_PAYMENT
            case OrderStatus.COMPLETED:
                return OrderHeadline.COMPLETED
            case OrderStatus.CANCELLED:
                return OrderHeadline.CANCELLED
            case OrderStatus.CLOSED:
                return OrderHeadline.REFUNDED
            case OrderStatus.CONFIRMED:
                return HEADLINE_OF_FULFILMENT[self.fulfilment_status]


HEADLINE_OF_FULFILMENT = {
    FulfilmentStatus.UNFULFILLED: OrderHeadline.PREPARING,
    FulfilmentStatus.PACKING: OrderHeadline.PREPARING,
    FulfilmentStatus.PARTIALLY_SHIPPED: OrderHeadline.ON_THE_WAY,
    FulfilmentStatus.SHIPPED: OrderHeadline.ON_THE_WAY,
    FulfilmentStatus.PARTIALLY_DELIVERED: OrderHeadline.ON_THE_WAY,
    FulfilmentStatus.DELIVERED: OrderHeadline.DELIVERED,
    FulfilmentStatus.RETURNED: OrderHeadline.RETURNED,
}


class OrderLine(HasCurrency, Base):
    """One variant on an order, as it was called and priced when the order was placed."""

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
    options: Mapped[list[dict[str, str]]]
    picture_url: Mapped[str | None]
    weight_grams: Mapped[int]
    currency: Mapped[CurrencyCode]
    unit_amount: Mapped[Minor]
    quantity: Mapped[int]
    discount_amount: Mapped[Minor]
    cancelled: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units that were taken off before they left."""
    cancelled_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What those cost."""
    discounts: Mapped[list[dict[str, int]]] = mapped_column(default=list)
    """[{"offer_id": 7, "amount": 500}, ...]: the parts of the discount."""

    @property
    def unit_price(self) -> Money:
        return self.money(self.unit_amount)

    @property
    def discount(self) -> Money:
        return self.money(self.discount_amount)

    @property
    def total(self) -> Money:
        """What this line costs after its share of the discount."""
        return self.money(self.unit_amount * self.quantity - self.discount_amount)


class Delivery(PostalAddress, HasCurrency, Base):
    """The part of an order that goes to one address by one method."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint("0 <= discount_amount AND discount_amount <= fee_amount", name="discount"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    """The ticket whose replacement this carries, if it carries one."""
    position: Mapped[int]
    method: Mapped[ShippingMethod]
    currency: Mapped[CurrencyCode]
    fee_amount: Mapped[Minor]
    discount_amount: Mapped[Minor] = mapped_column(default=0)
    """What the offers take off the fee."""
    discounts: Mapped[list[dict[str, int]]] = mapped_column(default=list)
    """As on a line."""

    @property
    def fee(self) -> Money:
        return self.money(self.fee_amount)

    @property
    def discount(self) -> Money:
        return self.money(self.discount_amount)

    @property
    def total(self) -> Money:
        """What sending it costs after that."""
        return self.money(self.fee_amount - self.discount_amount)

    @property
    def address(self) -> PostalAddress:
        return self


class DeliveryLine(Base):
    """Units of one order line that leave one warehouse for one address."""

    __tablename__ = "delivery_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND 0 <= packed AND packed <= quantity", name="packed"),
        Index("ix_delivery_lines_delivery_id", "delivery_id"),
        Index("ix_delivery_lines_order_line_id", "order_line_id"),
    )

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    quantity: Mapped[int]
    packed: Mapped[int]
    reserved: Mapped[bool]
    """False for what is sold without a limit: nothing was set aside for it."""


class OrderNote(Base):
    """What staff write down about an order, for each other."""

    __tablename__ = "order_notes"
    __table_args__ = (Index("ix_order_notes_order_id", "order_id"),)

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    text: Mapped[str]
    created_at: Mapped[datetime]


class IdempotencyKey(Base):
    """A command somebody sent with a key of their own, and what came of it."""

    __tablename__ = "idempotency_keys"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    command: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[str]
    reference: Mapped[str | None]
    """The number of what it makes, where that is known beforehand."""
    result_id: Mapped[int | None]
    created_at: Mapped[datetime]


INDEXED = (
    (Order, f"CREATE INDEX ix_orders_headline ON orders (({HEADLINE}), id)"),
    (Delivery, f"CREATE INDEX ix_deliveries_phone_tail ON deliveries (({PHONE_TAIL}), order_id)"),
)
"""Over expressions, where orders are many: on PostgreSQL."""

for _row, _statement in INDEXED:
    event.listen(_row.__table__, "after_create", DDL(_statement).execute_if(dialect="postgresql"))

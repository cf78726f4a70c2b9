from datetime import datetime
from enum import StrEnum

from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, event, false, true
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.place import PlaceColumns, geocoding_index


class MovementKind(StrEnum):
    """Why a stock level changed."""

    RECEIVED = "RECEIVED"
    """Units were received."""
    RESERVED = "RESERVED"
    """Units were reserved for an order."""
    BACKORDERED = "BACKORDERED"
    """Units were ordered that wait for stock."""
    RELEASED = "RELEASED"
    """Reserved or backordered units were released."""
    SHIPPED = "SHIPPED"
    """Units left with a parcel."""
    RETURNED = "RETURNED"
    """Units were returned by a customer."""
    DAMAGED = "DAMAGED"
    """Units were written off as damaged."""
    CORRECTED = "CORRECTED"
    """The level was corrected to what was counted."""
    TRANSFERRED = "TRANSFERRED"
    """Units were transferred from or to another warehouse."""


class Warehouse(PlaceColumns, Base):
    """A place where stock is kept and sent from; the one with the lowest position is the main one."""

    __tablename__ = "warehouses"
    __table_args__ = (geocoding_index("warehouses"),)

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    country_code: Mapped[str]
    province: Mapped[str]
    city: Mapped[str]
    district: Mapped[str]
    line1: Mapped[str]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether orders may take from it."""
    archived_at: Mapped[datetime | None]
    """When it was archived: nothing new uses it, and what has used it shows it still."""
    allows_pickup: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether customers may collect orders there."""
    pickup_hours: Mapped[list[dict[str, str]] | None]
    """[{"weekday": "MONDAY", "opens": "09:00", "closes": "18:00"}, ...], in the shop's time zone."""
    pickup_instructions: Mapped[str] = mapped_column(default="", server_default="")


class StockLevel(Base):
    """How much of a variant one warehouse has: always the sum of its movements."""

    __tablename__ = "stock_levels"
    __table_args__ = (
        CheckConstraint("0 <= reserved AND reserved <= on_hand", name="reserved_on_hand"),
        CheckConstraint("0 <= damaged", name="damaged"),
        Index("ix_stock_levels_warehouse_id", "warehouse_id"),
    )

    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"), primary_key=True)
    on_hand: Mapped[int]
    reserved: Mapped[int]
    damaged: Mapped[int]
    backordered: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units that were bought and wait for stock to come here; 0 as long as any are available."""
    bin_place: Mapped[str] = mapped_column(default="", server_default="")
    """Where the variant lies; empty where nobody has said it. No movement: it changes no number."""

    @hybrid_property
    def available(self) -> int:
        """Units that are not reserved, of a row and in SQL alike."""
        return self.on_hand - self.reserved


class StockMovement(Base):
    """One change of a stock level; never edited, never deleted."""

    __tablename__ = "stock_movements"
    __table_args__ = (
        Index("ix_stock_movements_variant_id_warehouse_id", "variant_id", "warehouse_id"),
        Index("ix_stock_movements_warehouse_id_id", "warehouse_id", "id"),
    )

    id: Mapped[Id]
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    kind: Mapped[MovementKind]
    on_hand: Mapped[int]
    reserved: Mapped[int]
    damaged: Mapped[int]
    backordered: Mapped[int] = mapped_column(default=0, server_default="0")
    reason: Mapped[str]
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]


class Backorder(Base):
    """Units of a delivery line that wait for stock to come to its warehouse; the oldest are filled first.

    Whoever changes one has locked its stock level before, so that nobody fills and releases it at once.
    """

    __tablename__ = "backorders"
    __table_args__ = (
        CheckConstraint("quantity >= 0 AND filled >= 0", name="quantity"),
        Index("ix_backorders_variant_id_warehouse_id_id", "variant_id", "warehouse_id", "id"),
        Index("ix_backorders_delivery_line_id", "delivery_line_id"),
        Index("ix_backorders_order_id", "order_id"),
        Index("ix_backorders_filled_at", "filled_at"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    delivery_line_id: Mapped[int] = mapped_column(ForeignKey("delivery_lines.id"))
    variant_id: Mapped[int] = mapped_column(ForeignKey("variants.id"))
    warehouse_id: Mapped[int] = mapped_column(ForeignKey("warehouses.id"))
    quantity: Mapped[int]
    """Units that still wait."""
    filled: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units for which stock has come, of which the order does not tell yet."""
    filled_at: Mapped[datetime | None]


REFUSAL = "stock movements are never edited, never deleted"
APPEND_ONLY = {
    "sqlite": tuple(
        f"CREATE TRIGGER stock_movements_no_{act.lower()} BEFORE {act} ON stock_movements"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for act in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION stock_movements_stay() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
        "CREATE TRIGGER stock_movements_stay BEFORE UPDATE OR DELETE ON stock_movements"
        " FOR EACH ROW EXECUTE FUNCTION stock_movements_stay()",
    ),
}
"""Triggers by which the database itself refuses to change movements, whoever tries."""

for dialect, statements in APPEND_ONLY.items():
    for statement in statements:
        event.listen(StockMovement.__table__, "after_create", DDL(statement).execute_if(dialect=dialect))

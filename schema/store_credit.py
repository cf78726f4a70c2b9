"""Store credit and gift cards."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers import store_credit as resolve
from resolvers.descriptions import describe_enum
from resolvers.guard import Permission
from schema.connection import Connection
from schema.limits.sizes import FEW
from schema.mutation import mutation
from schema.node import Node
from schema.rows import field, loaded, row_type
from schema.scalars import Money

if TYPE_CHECKING:
    from schema.order import Order

StoreCreditKind = describe_enum(models.StoreCreditKind)
GiftCardStatus = describe_enum(models.GiftCardStatus)


@row_type(models.GiftCard)
class GiftCard(Node):
    """An amount for whoever redeems its code first."""

    status: models.GiftCardStatus
    """Where it stands."""
    total: Money
    """What it is worth."""
    last_characters: str
    """How its code ends."""
    reason: str | None = field(resolve.staff_reason)
    expires_at: datetime
    """Until when it can be redeemed."""
    issued_at: datetime
    """When it was issued."""
    redeemed_at: datetime | None
    """When it was redeemed."""
    ended_at: datetime | None
    """When it was withdrawn or expired."""
    void_reason: str | None = field(resolve.staff_void_reason)


@row_type(models.StoreCreditMovement)
class StoreCreditMovement:
    """One change of a store credit; never edited, never deleted."""

    kind: models.StoreCreditKind
    """Why it changed."""
    total: Money
    """How much came in; negative for what went out."""
    created_at: datetime
    """When it changed."""
    order: Annotated["Order", strawberry.lazy("schema.order")] | None = loaded("order", key="order_id")
    """The order that was paid or refunded."""
    gift_card: GiftCard | None = loaded("gift_card", key="gift_card_id")
    """The gift card that was redeemed."""


@strawberry.type
class StoreCreditQuery:
    store_credit: list[Money] = field(resolve.store_credit, allow=Permission.STORE_CREDIT, size=FEW)
    store_credit_movements: Connection[StoreCreditMovement] = field(
        resolve.store_credit_movements, allow=Permission.STORE_CREDIT
    )
    gift_cards: Connection[GiftCard] = field(resolve.gift_cards, allow=Permission.GIFT_CARD_EDIT)


@strawberry.type
class StoreCreditMutation:
    gift_card_issue = mutation(
        resolve.gift_card_issue,
        returns=GiftCard,
        allow=Permission.GIFT_CARD_EDIT,
        further_fields={"code": (str | None, "Its code, shown only now; null when the shop refused.")},
    )
    gift_card_redeem = mutation(resolve.gift_card_redeem, returns=GiftCard, allow=Permission.STORE_CREDIT)
    gift_card_void = mutation(resolve.gift_card_void, returns=GiftCard, allow=Permission.GIFT_CARD_EDIT)

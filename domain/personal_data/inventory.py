"""THE TABLE of personal data: which rows are somebody's, and which of their columns are personal.

`tests/domain/test_personal_data.py` compares it with the models: a new text column, a new table with an
account and a new text in an event must have their place here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, or_, select

from domain.personal_data.belongings import (
    attempts_of,
    carts_of,
    deliveries_of,
    messages_of,
    orders_of,
    reader_key,
    shipments_of,
    tickets_of,
)
from models import (
    Account,
    Address,
    ArchivedEvent,
    ArticleRating,
    ArticleRead,
    Backorder,
    Base,
    CarrierCall,
    Cart,
    CartLine,
    Certificate,
    CourierPosition,
    CourierProfile,
    Delivery,
    DeliveryLine,
    DeliveryProof,
    DeliveryRun,
    DeliveryRunStop,
    DeviceToken,
    Dispute,
    Event,
    GiftCard,
    GuestAccount,
    IdempotencyKey,
    LedgerEntry,
    Media,
    Notice,
    OpenParcel,
    Order,
    OrderEdit,
    OrderEditUnits,
    OrderLine,
    OrderNote,
    OrderPromotionRules,
    Payment,
    PaymentAttempt,
    Pickup,
    Posting,
    PromotionBuyer,
    PromotionUse,
    ProviderCall,
    QuizAnswer,
    QuizAttempt,
    QuizChoice,
    QuizRelease,
    Reading,
    RecoveryCode,
    Refund,
    ReturnCollection,
    ReturnEvent,
    ReturnInspection,
    ReturnParcel,
    RuleDecision,
    SavedLine,
    Session,
    Shipment,
    ShipmentLine,
    ShipmentTask,
    SignIn,
    StatementDifference,
    StoreCredit,
    StoreCreditMovement,
    Ticket,
    TicketAgent,
    TicketDifference,
    TicketDifferenceUnits,
    TicketLine,
    TicketMedia,
    TicketMention,
    TicketMessage,
    TicketMessageMedia,
    TicketRating,
    TicketRead,
    TicketRelease,
    TicketRepair,
    TicketSkill,
    TicketUnits,
    TotpSecret,
    TrackingEvent,
    TrackingLink,
    UnpackedParcel,
    Verification,
    WavePart,
    Waybill,
)
from models.sql.types import AnyColumn

Erased = str | float | list[str] | None
Belongs = Callable[[int | AnyColumn], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """The rows of one table that belong to an account, and what erasure does to them."""

    belongs: Belongs
    """Whether a row belongs to the account of this id."""
    erased: Mapping[str, Erased] = field(default_factory=dict)
    """Personal column -> what it holds after the erasure."""
    deleted: bool = False
    """Whether erasure deletes the rows."""
    secret: frozenset[str] = frozenset()
    """Columns that an export leaves out: hashes and secrets that say nothing about the person."""
    exported: bool = True


PLACE: dict[str, Erased] = {
    "latitude": None,
    "longitude": None,
    "coordinate_source": None,
    "geocode_at": None,
    "preferred_from": None,
    "preferred_until": None,
}
POSTAL: dict[str, Erased] = {
    **dict.fromkeys(
        ("recipient", "phone", "province", "city", "district", "line1", "line2", "postal_code"), ""
    ),
    **PLACE,
}
"""The country stays: it says under which tax law something was sold."""
WINDOW: dict[str, Erased] = {"window_from": None, "window_until": None}

PERSONAL_TABLES: Mapping[type[Base], PersonalTable] = {
    Notice: PersonalTable(lambda id: Notice.account_id == id, deleted=True, secret=frozenset({"key"})),
    Verification: PersonalTable(
        lambda id: Verification.account_id == id,
        deleted=True,
        secret=frozenset({"token_hash", "nonce", "password_hash"}),
    ),
    DeviceToken: PersonalTable(lambda id: DeviceToken.account_id == id, deleted=True),
    SignIn: PersonalTable(lambda id: SignIn.account_id == id, deleted=True, secret=frozenset({"family"})),
    Session: PersonalTable(lambda id: Session.account_id == id, deleted=True, exported=False),
    TotpSecret: PersonalTable(
        lambda id: TotpSecret.account_id == id, deleted=True, secret=frozenset({"encrypted_secret"})
    ),
    RecoveryCode: PersonalTable(
        lambda id: RecoveryCode.account_id == id, deleted=True, secret=frozenset({"code_hash"})
    ),
    IdempotencyKey: PersonalTable(
        lambda id: IdempotencyKey.account_id == id, deleted=True, secret=frozenset({"content_hash"})
    ),
    Address: PersonalTable(lambda id: Address.account_id == id, deleted=True),
    CartLine: PersonalTable(lambda id: CartLine.cart_id.in_(carts_of(id)), deleted=True),
    SavedLine: PersonalTable(lambda id: SavedLine.cart_id.in_(carts_of(id)), deleted=True),
    Cart: PersonalTable(lambda id: Cart.account_id == id, secret=frozenset({"token_hash"})),
    ArticleRating: PersonalTable(lambda id: ArticleRating.reader == reader_key(id)),
    ArticleRead: PersonalTable(lambda id: ArticleRead.account_id == id, deleted=True),
    TicketMedia: PersonalTable(lambda id: TicketMedia.ticket_id.in_(tickets_of(id)), deleted=True),
    TicketRead: PersonalTable(
        lambda id: TicketRead.ticket_id.in_(tickets_of(id)), deleted=True, exported=False
    ),
    TicketMention: PersonalTable(
        lambda id: TicketMention.message_id.in_(messages_of(id)), deleted=True, exported=False
    ),
    TicketMessageMedia: PersonalTable(
        lambda id: TicketMessageMedia.message_id.in_(messages_of(id)), deleted=True, exported=False
    ),
    TicketMessage: PersonalTable(lambda id: TicketMessage.ticket_id.in_(tickets_of(id)), {"body": ""}),
    TicketDifferenceUnits: PersonalTable(
        lambda id: TicketDifferenceUnits.difference_id.in_(
            select(TicketDifference.id)
            .where(TicketDifference.ticket_id.in_(tickets_of(id)))
            .correlate_except(TicketDifference)
        ),
        exported=False,
    ),
    TicketRepair: PersonalTable(lambda id: TicketRepair.ticket_id.in_(tickets_of(id)), {"note": ""}),
    TicketDifference: PersonalTable(
        lambda id: TicketDifference.ticket_id.in_(tickets_of(id)), secret=frozenset({"plan"})
    ),
    TicketRating: PersonalTable(lambda id: TicketRating.ticket_id.in_(tickets_of(id)), {"note": ""}),
    TicketUnits: PersonalTable(lambda id: TicketUnits.ticket_id.in_(tickets_of(id)), exported=False),
    TicketLine: PersonalTable(lambda id: TicketLine.ticket_id.in_(tickets_of(id))),
    ReturnInspection: PersonalTable(
        lambda id: ReturnInspection.ticket_id.in_(tickets_of(id)),
        {"note": ""},
        secret=frozenset({"inspected_by_id"}),
    ),
    RuleDecision: PersonalTable(
        lambda id: RuleDecision.ticket_id.in_(tickets_of(id)),
        secret=frozenset({"daily_amount", "daily_tickets"}),
    ),
    TicketRelease: PersonalTable(
        lambda id: or_(TicketRelease.account_id == id, TicketRelease.ticket_id.in_(tickets_of(id))),
        deleted=True,
        exported=False,
    ),
    TicketSkill: PersonalTable(lambda id: TicketSkill.account_id == id, deleted=True),
    TicketAgent: PersonalTable(lambda id: TicketAgent.account_id == id, deleted=True),
    Ticket: PersonalTable(
        lambda id: Ticket.account_id == id,
        {
            "description": "",
            "refusal": None,
            "return_carrier_code": None,
            "return_carrier": None,
            "return_tracking_number": None,
            "return_parcel_id": None,
            "urgent_terms": [],
        },
        secret=frozenset(
            {
                "attend_by",
                "overdue_obstacle",
                "rate_at",
                "recount_at",
                "terms_edition",
                "urgent_terms",
                "value_hours",
                "word_hours",
            }
        ),
    ),
    ReturnCollection: PersonalTable(lambda id: ReturnCollection.ticket_id.in_(tickets_of(id)), POSTAL),
    ReturnEvent: PersonalTable(
        lambda id: ReturnEvent.return_parcel_id.in_(
            select(ReturnParcel.id).where(ReturnParcel.account_id == id).correlate_except(ReturnParcel)
        ),
        deleted=True,
    ),
    ReturnParcel: PersonalTable(
        lambda id: ReturnParcel.account_id == id,
        deleted=True,
        secret=frozenset({"attend_at", "contested_at", "poll_at", "polled_at", "subscribed_at"}),
    ),
    TrackingEvent: PersonalTable(
        lambda id: TrackingEvent.shipment_id.in_(shipments_of(id)),
        {"description": "", "location": "", "latitude": None, "longitude": None},
    ),
    DeliveryRunStop: PersonalTable(
        lambda id: DeliveryRunStop.shipment_id.in_(shipments_of(id)),
        {"note": "", "proof": "", "latitude": None, "longitude": None},
    ),
    DeliveryProof: PersonalTable(
        lambda id: DeliveryProof.delivery_run_stop_id.in_(
            select(DeliveryRunStop.id)
            .where(DeliveryRunStop.shipment_id.in_(shipments_of(id)))
            .correlate_except(DeliveryRunStop)
        )
    ),
    CourierPosition: PersonalTable(
        lambda id: CourierPosition.delivery_run_id.in_(
            select(DeliveryRun.id).where(DeliveryRun.courier_id == id).correlate_except(DeliveryRun)
        ),
        deleted=True,
    ),
    CourierProfile: PersonalTable(lambda id: CourierProfile.account_id == id, deleted=True),
    Certificate: PersonalTable(
        lambda id: Certificate.account_id == id, deleted=True, secret=frozenset({"revoked_by_id"})
    ),
    QuizRelease: PersonalTable(
        lambda id: QuizRelease.account_id == id, deleted=True, secret=frozenset({"released_by_id"})
    ),
    # the ids of options would tell in which order they were written, which can be what is right
    QuizChoice: PersonalTable(
        lambda id: QuizChoice.attempt_id.in_(attempts_of(id)), deleted=True, exported=False
    ),
    QuizAnswer: PersonalTable(lambda id: QuizAnswer.attempt_id.in_(attempts_of(id)), deleted=True),
    QuizAttempt: PersonalTable(
        lambda id: QuizAttempt.account_id == id, deleted=True, secret=frozenset({"seed"})
    ),
    ShipmentLine: PersonalTable(lambda id: ShipmentLine.shipment_id.in_(shipments_of(id))),
    CarrierCall: PersonalTable(
        lambda id: CarrierCall.order_id.in_(orders_of(id)), {"reason": None, "body": None}, exported=False
    ),
    Waybill: PersonalTable(
        lambda id: or_(
            Waybill.shipment_id.in_(shipments_of(id)),
            Waybill.unpacked_id.in_(
                select(UnpackedParcel.id)
                .where(UnpackedParcel.order_id.in_(orders_of(id)))
                .correlate_except(UnpackedParcel)
            ),
            Waybill.return_collection_id.in_(
                select(ReturnCollection.id)
                .where(ReturnCollection.ticket_id.in_(tickets_of(id)))
                .correlate_except(ReturnCollection)
            ),
        ),
        {"label": None, "reason": None, "settlement": None},
        secret=frozenset({"label", "settlement"}),
    ),
    ShipmentTask: PersonalTable(
        lambda id: ShipmentTask.shipment_id.in_(shipments_of(id)), {"note": None}, exported=False
    ),
    TrackingLink: PersonalTable(
        lambda id: TrackingLink.shipment_id.in_(shipments_of(id)),
        deleted=True,
        secret=frozenset({"token_hash"}),
    ),
    Shipment: PersonalTable(lambda id: Shipment.order_id.in_(orders_of(id))),
    UnpackedParcel: PersonalTable(lambda id: UnpackedParcel.order_id.in_(orders_of(id)), exported=False),
    OpenParcel: PersonalTable(lambda id: OpenParcel.order_id.in_(orders_of(id)), exported=False),
    WavePart: PersonalTable(lambda id: WavePart.order_id.in_(orders_of(id)), exported=False),
    OrderNote: PersonalTable(lambda id: OrderNote.order_id.in_(orders_of(id)), {"text": ""}, exported=False),
    StoreCreditMovement: PersonalTable(
        lambda id: StoreCreditMovement.store_credit_id.in_(
            select(StoreCredit.id).where(StoreCredit.account_id == id).correlate_except(StoreCredit)
        )
    ),
    StoreCredit: PersonalTable(lambda id: StoreCredit.account_id == id),
    GiftCard: PersonalTable(
        lambda id: GiftCard.redeemed_by == id,
        {"reason": "", "void_reason": None},
        secret=frozenset({"code_hash", "issued_by", "ended_by"}),
    ),
    Dispute: PersonalTable(lambda id: Dispute.order_id.in_(orders_of(id)), {"reason": ""}, exported=False),
    StatementDifference: PersonalTable(
        lambda id: StatementDifference.order_id.in_(orders_of(id)), {"note": ""}, exported=False
    ),
    ProviderCall: PersonalTable(
        lambda id: ProviderCall.order_id.in_(orders_of(id)), {"reason": None}, exported=False
    ),
    Refund: PersonalTable(lambda id: Refund.order_id.in_(orders_of(id)), {"reason": "", "failure": None}),
    OrderEditUnits: PersonalTable(
        lambda id: OrderEditUnits.edit_id.in_(
            select(OrderEdit.id).where(OrderEdit.order_id.in_(orders_of(id))).correlate_except(OrderEdit)
        ),
        exported=False,
    ),
    OrderEdit: PersonalTable(lambda id: OrderEdit.order_id.in_(orders_of(id)), {"plan": None}),
    OrderPromotionRules: PersonalTable(
        lambda id: OrderPromotionRules.order_id.in_(orders_of(id)), exported=False
    ),
    Payment: PersonalTable(lambda id: Payment.order_id.in_(orders_of(id)), {"failure": None}),
    PaymentAttempt: PersonalTable(
        lambda id: PaymentAttempt.payment_id.in_(
            select(Payment.id).where(Payment.order_id.in_(orders_of(id))).correlate_except(Payment)
        ),
        {"failure": None, "action_value": None, "action_key": None},
        secret=frozenset({"action_value", "action_key"}),
    ),
    Posting: PersonalTable(lambda id: Posting.order_id.in_(orders_of(id)), exported=False),
    LedgerEntry: PersonalTable(lambda id: LedgerEntry.order_id.in_(orders_of(id)), exported=False),
    Backorder: PersonalTable(lambda id: Backorder.order_id.in_(orders_of(id))),
    Pickup: PersonalTable(lambda id: Pickup.delivery_id.in_(deliveries_of(id)), secret=frozenset({"nonce"})),
    DeliveryLine: PersonalTable(lambda id: DeliveryLine.delivery_id.in_(deliveries_of(id))),
    Delivery: PersonalTable(lambda id: Delivery.order_id.in_(orders_of(id)), POSTAL | WINDOW),
    OrderLine: PersonalTable(lambda id: OrderLine.order_id.in_(orders_of(id))),
    PromotionUse: PersonalTable(lambda id: PromotionUse.order_id.in_(orders_of(id))),
    PromotionBuyer: PersonalTable(lambda id: PromotionBuyer.account_id == id),
    Order: PersonalTable(
        lambda id: Order.account_id == id, {"note": "", "cancel_reason": None, "hold_reason": None}
    ),
    Media: PersonalTable(lambda id: Media.uploader_id == id),
    Event: PersonalTable(lambda id: Event.account_id == id, secret=frozenset({"claimed_until", "failure"})),
    ArchivedEvent: PersonalTable(lambda id: ArchivedEvent.account_id == id),
    Reading: PersonalTable(lambda id: Reading.account_id == id),
    GuestAccount: PersonalTable(
        lambda id: GuestAccount.account_id == id, {"email": None, "phone": None}, secret=frozenset({"key"})
    ),
    Account: PersonalTable(
        lambda id: Account.id == id,
        {"name": "", "email": None, "phone": None, "password_hash": "", "language": None},
        secret=frozenset({"password_hash"}),
    ),
}
"""Table -> what is somebody's in it, in an order in which rows can be deleted.

Events, pictures and reasons of cancellations in events are erased by functions of their own.
"""

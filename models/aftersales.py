from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from models.agreement_rule import RuleObstacle
from models.base import Base, BigId, HasCurrency, Id, Minor, partial_index
from models.carrier import CARRIER_CODE_LENGTH, CarrierCode
from models.money import CurrencyCode, Money
from models.payment import RefundTarget


class TicketType(StrEnum):
    """What a customer asks for after a sale."""

    REFUND_ONLY = "REFUND_ONLY"
    """Money back; nothing is sent anywhere."""
    RETURN_REFUND = "RETURN_REFUND"
    """Goods back, then money back."""
    EXCHANGE = "EXCHANGE"
    """Goods back, then the same again, or something else that the customer has named."""
    RESHIP = "RESHIP"
    """The same again; nothing comes back."""
    REPAIR = "REPAIR"
    """The same units, repaired: they are sent in, repaired and sent back."""
    QUESTION = "QUESTION"
    """An answer; it is about an order as a whole, or about none, and names no lines."""


class TicketChannel(StrEnum):
    """How a customer has come to the shop with a ticket."""

    ONLINE = "ONLINE"
    """They opened it themselves."""
    PHONE = "PHONE"
    """They called, and the staff opened it."""
    MAIL = "MAIL"
    """They wrote an e-mail or a letter, and the staff opened it."""
    OTHER = "OTHER"
    """The staff opened it, and have not said why."""


class TicketReason(StrEnum):
    """Why a customer asks."""

    NO_REASON = "NO_REASON"
    """They changed their mind."""
    QUALITY_FAULT = "QUALITY_FAULT"
    """It does not work as it should."""
    WRONG_ITEM = "WRONG_ITEM"
    """Something else was in the parcel."""
    MISSING_ITEM = "MISSING_ITEM"
    """The parcel came without it."""
    DAMAGED = "DAMAGED"
    """It arrived broken."""
    NOT_AS_DESCRIBED = "NOT_AS_DESCRIBED"
    """It is not what the shop said it was."""
    NOT_RECEIVED = "NOT_RECEIVED"
    """The parcel never came."""
    FAULT_IN_USE = "FAULT_IN_USE"
    """It worked at first and does not any more."""
    QUESTION = "QUESTION"
    """They want to know something."""


class TicketStatus(StrEnum):
    """Where an after-sales ticket stands."""

    APPLIED = "APPLIED"
    """The shop has to answer."""
    AWAITING_RETURN = "AWAITING_RETURN"
    """Agreed: the customer sends the goods and says how."""
    RETURN_SHIPPED = "RETURN_SHIPPED"
    """The goods are on their way back."""
    RETURN_REFUSED = "RETURN_REFUSED"
    """What came back was not accepted; the customer may escalate."""
    RESHIPPING = "RESHIPPING"
    """A replacement is being packed or is on its way, or what was sent in for a repair is on its way back."""
    REFUNDING = "REFUNDING"
    """Money is on its way back."""
    REFUND_FAILED = "REFUND_FAILED"
    """A part of the refund has failed; it is tried again."""
    REFUSED = "REFUSED"
    """The shop refused; the customer may apply again or escalate."""
    ARBITRATION = "ARBITRATION"
    """A manager decides."""
    REJECTED = "REJECTED"
    """The manager refused for good."""
    COMPLETED = "COMPLETED"
    """What was agreed is done."""
    CANCELLED = "CANCELLED"
    """Cancelled by the customer, or the goods were not sent back in time."""
    AWAITING_CHOICE = "AWAITING_CHOICE"
    """The replacement is sold out or came back, or a repair is not possible: the customer chooses what to
    get instead."""
    AWAITING_STOCK = "AWAITING_STOCK"
    """The customer waits: the replacement is sent as soon as there is stock."""
    ANSWERED = "ANSWERED"
    """A question was answered; it is closed unless the customer writes again."""
    AWAITING_PAYMENT = "AWAITING_PAYMENT"
    """What is sent instead costs more: it is kept for the customer, and sent when they have paid that."""
    REPAIRING = "REPAIRING"
    """What was sent in is being repaired."""


RESOLVED = frozenset(
    {
        TicketStatus.ANSWERED,
        TicketStatus.REFUSED,
        TicketStatus.RETURN_REFUSED,
        TicketStatus.REJECTED,
        TicketStatus.COMPLETED,
        TicketStatus.CANCELLED,
    }
)
"""Nobody has anything to do for it, unless the customer asks again."""

RATED = frozenset({TicketStatus.REJECTED, TicketStatus.COMPLETED})
"""The shop has done what it does: its customer is asked how it went."""


class ReplacementChoice(StrEnum):
    """What a customer gets when the replacement is sold out or came back, or a repair was not possible."""

    WAIT = "WAIT"
    """The same, as soon as there is stock."""
    VARIANT = "VARIANT"
    """Another variant, or another product; what it costs less is refunded, what it costs more paid first."""
    MONEY = "MONEY"
    """What was paid for it."""
    SAME_UNITS = "SAME_UNITS"
    """What was sent in for a repair, as it is now."""


WAITS = text("attend_by IS NOT NULL")
"""Whether a ticket waits for the shop, as indexes say it."""
NEEDED = text("closed_at IS NULL OR attend_by IS NOT NULL")
"""Whether somebody has to do with a ticket still."""
UNANSWERED, LATE = text("unanswered_since IS NOT NULL"), text("overdue_since IS NOT NULL")
COMES = text("return_parcel_id IS NOT NULL")
MERGED, SPLIT = text("merged_into_id IS NOT NULL"), text("split_from_id IS NOT NULL")


class ReturnCondition(StrEnum):
    """How units were found that a customer has sent back."""

    AS_NEW = "AS_NEW"
    """They can be sold again."""
    DAMAGED = "DAMAGED"
    """They are broken or worn."""
    INCOMPLETE = "INCOMPLETE"
    """Parts of them are missing."""
    NOT_OURS = "NOT_OURS"
    """Something else was in the parcel."""
    MISSING = "MISSING"
    """They were not in the parcel."""


WITHOUT_BONUS = frozenset(
    {TicketStatus.REFUSED, TicketStatus.RETURN_REFUSED, TicketStatus.REJECTED, TicketStatus.CANCELLED}
)
"""Nothing is promised with the refund of a ticket in one of these; another decision promises anew."""


class Ticket(HasCurrency, Base):
    """A customer's request about goods they bought, or what they want to know."""

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("order_id IS NOT NULL OR type = 'QUESTION'", name="order"),
        Index("ix_tickets_order_id", "order_id"),
        Index("ix_tickets_account_id_id", "account_id", "id"),
        Index("ix_tickets_status_id", "status", "id"),
        Index("ix_tickets_due_at", "due_at"),
        Index("ix_tickets_attend_by", "attend_by", "id", sqlite_where=WAITS, postgresql_where=WAITS),
        Index("ix_tickets_terms_edition", "terms_edition", sqlite_where=WAITS, postgresql_where=WAITS),
        Index("ix_tickets_assignee_id", "assignee_id", sqlite_where=NEEDED, postgresql_where=NEEDED),
        Index("ix_tickets_unanswered", "id", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
        Index("ix_tickets_overdue", "id", sqlite_where=LATE, postgresql_where=LATE),
        Index(
            "ix_tickets_return_tracking_number",
            "return_tracking_number",
            sqlite_where=text("return_tracking_number IS NOT NULL"),
            postgresql_where=text("return_tracking_number IS NOT NULL"),
        ),
        Index(
            "ix_tickets_part_of_id",
            "part_of_id",
            sqlite_where=text("part_of_id IS NOT NULL"),
            postgresql_where=text("part_of_id IS NOT NULL"),
        ),
        Index("ix_tickets_return_parcel_id", "return_parcel_id", sqlite_where=COMES, postgresql_where=COMES),
        Index("ix_tickets_merged_into_id", "merged_into_id", sqlite_where=MERGED, postgresql_where=MERGED),
        Index("ix_tickets_split_from_id", "split_from_id", sqlite_where=SPLIT, postgresql_where=SPLIT),
        Index("ix_tickets_opened_at", "opened_at"),
        Index("ix_tickets_status_assignee_id_opened_at", "status", "assignee_id", "opened_at"),
        *(partial_index("tickets", column) for column in ("rate_at", "recount_at")),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    """The order it is about; None of a question about none."""
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    type: Mapped[TicketType]
    reason: Mapped[TicketReason]
    channel: Mapped[TicketChannel] = mapped_column(
        default=TicketChannel.ONLINE, server_default=TicketChannel.ONLINE.value
    )
    status: Mapped[TicketStatus]
    description: Mapped[str]
    currency: Mapped[CurrencyCode]
    refund_amount: Mapped[Minor]
    refund_target: Mapped[RefundTarget] = mapped_column(
        default=RefundTarget.ORIGINAL, server_default="ORIGINAL"
    )
    """Where the customer wants a refund to go."""
    bonus_basis_points: Mapped[int] = mapped_column(default=0, server_default="0")
    """The part of its refund that the shop adds in store credit, as it was when that was chosen."""
    bonus_cap_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """The most that is added for all tickets of its order, as it was then."""
    bonus_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What is added: promised until a refund is requested, then what comes with its refunds."""
    return_carrier_code: Mapped[CarrierCode | None] = mapped_column(String(CARRIER_CODE_LENGTH))
    """The code of who carries the goods back; None where it is none of the shop's carriers."""
    return_carrier: Mapped[str | None]
    return_tracking_number: Mapped[str | None]
    return_parcel_id: Mapped[int | None] = mapped_column(BigId)
    """The parcel that is followed; None where the goods do not come with a carrier of the shop's."""
    return_corrections: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the customer has given another number for the same goods."""
    refusal: Mapped[str | None]
    version: Mapped[int]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    overdue_since: Mapped[datetime | None]
    """Since when nobody has acted in time and no rule may; None for others."""
    overdue_obstacle: Mapped[RuleObstacle | None]
    """Why no rule may."""
    part_of_id: Mapped[int | None] = mapped_column(BigId)
    """The ticket that its units were claimed with, before an inspection or a decision parted them."""
    uninspected_at: Mapped[datetime | None]
    """Since when a return counts as accepted that nobody has put into the stock yet; None for others."""
    stock_seen: Mapped[int | None] = mapped_column(BigId)
    """The movement of stock after which there was too little still to send its replacement; None before."""
    attend_by: Mapped[datetime | None]
    """By when the shop should act, on urgent ones before they are due; None where it waits for others."""
    value_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many hours earlier, for what is asked for."""
    word_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many hours earlier, for the words of the customer."""
    urgent_terms: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """These words."""
    terms_edition: Mapped[int] = mapped_column(default=0, server_default="0")
    """The edition of the words by which all its texts were read."""
    unanswered_since: Mapped[datetime | None]
    """Since when the customer waits for an answer to a message; None where they do not."""
    merged_into_id: Mapped[int | None] = mapped_column(BigId)
    """The ticket as which it goes on, of which it was a duplicate; None for others."""
    split_from_id: Mapped[int | None] = mapped_column(BigId)
    """The ticket from which its units were split off; None for others."""
    first_answered_at: Mapped[datetime | None]
    """When the shop answered first: by a message, or by deciding."""
    resolved_at: Mapped[datetime | None]
    """Since when nobody has anything to do for it; None while somebody has."""
    reopens: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it came back after it was resolved."""
    rate_at: Mapped[datetime | None]
    """Since when it has ended and its customer is to be asked how it went; None before and afterwards."""
    differences_due: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often a dearer replacement was kept for it until that is paid."""
    recount_at: Mapped[datetime | None]
    """Since when it differs from what was counted of the day it was opened; None where it does not."""

    @property
    def refund(self) -> Money:
        return self.money(self.refund_amount)

    @property
    def bonus(self) -> Money:
        return self.money(0 if self.status in WITHOUT_BONUS else self.bonus_amount)

    def end_waiting(self) -> None:
        """It has ended: nothing is due any more, and nobody waits for the shop."""
        self.due_at = self.overdue_since = self.overdue_obstacle = None
        self.attend_by = self.unanswered_since = None


class TicketLine(HasCurrency, Base):
    """Units of an order line that a ticket is about."""

    __tablename__ = "ticket_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"), primary_key=True, index=True)
    quantity: Mapped[int]
    currency: Mapped[CurrencyCode]
    refund_amount: Mapped[Minor]
    cancelled: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its units were withdrawn, and are counted as cancelled on the order line."""
    refunded_in_place: Mapped[int] = mapped_column(default=0, server_default="0")
    """Units for which money comes back in place of the replacement."""
    in_place_amount: Mapped[Minor | None] = mapped_column(default=0)
    """The part of the refund that was for those, as what they cost when they were ordered; None where a
    release up to 0.3.0 has written the line."""
    difference_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """The part of the refund that cheaper variants cost less, which were sent instead."""
    surcharge_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What was paid for dearer variants, which were sent instead."""
    substitute_variant_id: Mapped[int | None] = mapped_column(ForeignKey("variants.id"))
    """What the customer wants in place of its units; None for the same again."""
    substitute_reduction_amount: Mapped[Minor] = mapped_column(default=0, server_default="0")
    """What one unit of that costs less than what was paid for the one that was ordered; negative: more."""

    @property
    def refund(self) -> Money:
        return self.money(self.refund_amount)

    @property
    def surcharge(self) -> Money:
        return self.money(self.surcharge_amount)

    @property
    def amount_in_place(self) -> int:
        """What was refunded in place of goods, as what they cost when they were ordered, in minor units."""
        if self.in_place_amount is not None:
            return self.in_place_amount
        return self.refund_amount - self.difference_amount if self.refunded_in_place else 0


class TicketUnits(Base):
    """Units that a ticket is about, by the parcel they were sent in."""

    __tablename__ = "ticket_units"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"), primary_key=True, index=True)
    delivery_line_id: Mapped[int] = mapped_column(ForeignKey("delivery_lines.id"), primary_key=True)
    quantity: Mapped[int]


class ReturnInspection(Base):
    """Units of a ticket that came back in one condition, or did not."""

    __tablename__ = "return_inspections"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_return_inspections_ticket_id", "ticket_id"),
    )

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    order_line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id"))
    condition: Mapped[ReturnCondition]
    quantity: Mapped[int]
    accepted: Mapped[bool]
    customers_fault: Mapped[bool]
    """Whether the customer has caused what is wrong with them."""
    note: Mapped[str]
    """What the customer reads about them."""
    inspected_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    inspected_at: Mapped[datetime]
    current: Mapped[bool] = mapped_column(default=True, server_default=true())
    """False where the same units came back once more and were inspected anew."""
    delivery_line_id: Mapped[int | None] = mapped_column(ForeignKey("delivery_lines.id"), index=True)
    """What sends them back to the customer; None where nothing does."""
    kept: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of what was sent in for a repair the units that the shop keeps, as the customer gets something else."""
    lost: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of what is to be repaired the units that got lost before a manager had agreed to it."""


class TicketMessage(Base):
    """A message about a ticket; an internal one is for the staff only."""

    __tablename__ = "ticket_messages"
    __table_args__ = (Index("ix_ticket_messages_ticket_id_id", "ticket_id", "id"),)

    id: Mapped[Id]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    body: Mapped[str]
    internal: Mapped[bool]
    created_at: Mapped[datetime]


class TicketMedia(Base):
    """A picture that shows what a ticket is about."""

    __tablename__ = "ticket_media"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media.id"), primary_key=True)

"""Rules by which the shop agrees to a ticket without anybody, and what each has decided."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import DDL, ForeignKey, Index, UniqueConstraint, event, func, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasCurrency, Id, Minor
from models.money import CurrencyCode
from models.sql.types import AnySelect

SILENCE_CODE = "silence"
"""The rule that a new shop begins with."""


class AgreementMoment(StrEnum):
    """When a rule looks at a ticket."""

    OPENED = "OPENED"
    """As soon as it was opened."""
    SILENCE = "SILENCE"
    """When nobody has answered it, or inspected what was sent back, in time."""


class RuleObstacle(StrEnum):
    """Why no rule may agree to a ticket, so that people have to decide."""

    NO_RULE = "NO_RULE"
    """No rule is about such tickets."""
    AGAINST_TRACKING = "AGAINST_TRACKING"
    """Tracking says otherwise than the customer."""
    SECOND_PERSON = "SECOND_PERSON"
    """It is worth more than one person of the staff may give away alone."""
    TOO_MUCH = "TOO_MUCH"
    """It is worth more than the rule gives for one order, with what it has given for other tickets of it."""
    NO_PICTURE = "NO_PICTURE"
    """It has no picture that shows it."""
    NEW_CUSTOMER = "NEW_CUSTOMER"
    """The customer has not received enough orders yet."""
    TOO_OFTEN = "TOO_OFTEN"
    """The rule has agreed to tickets of this customer often enough."""
    DAILY_LIMIT = "DAILY_LIMIT"
    """The rule has given as much today as it may."""


class AgreementStep(StrEnum):
    """What a rule has decided about a ticket."""

    AGREED = "AGREED"
    """That the customer gets what they ask for."""
    RETURN_ACCEPTED = "RETURN_ACCEPTED"
    """That what was sent back counts as accepted, which nobody has inspected."""


class AgreementRule(Base):
    """One version of a rule by which the shop agrees by itself; it never changes."""

    __tablename__ = "agreement_rules"
    __table_args__ = (UniqueConstraint("code", "version"),)

    id: Mapped[Id]
    code: Mapped[str]
    """What it is known by."""
    version: Mapped[int]
    title: Mapped[str]
    moment: Mapped[AgreementMoment]
    types: Mapped[list[str]]
    """The types of ticket it agrees to."""
    reasons: Mapped[list[str]]
    """For these reasons."""
    amounts: Mapped[dict[str, int]]
    """The most its tickets of one order are worth, by currency, in minor units; no limit in others."""
    daily_amounts: Mapped[dict[str, int]]
    """What it gives in one day of the shop, by currency; in a currency without one it gives nothing."""
    daily_tickets: Mapped[int]
    """Tickets it agrees to in one day of the shop."""
    needs_picture: Mapped[bool]
    orders_at_least: Mapped[int]
    """Orders that the customer must have received."""
    tickets_at_most: Mapped[int | None]
    """Tickets of one customer it agrees to in ninety days; None for any number."""
    active: Mapped[bool]
    """Whether it agrees to anything; a version that does not is how a rule ends."""
    author_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]


class RuleDecision(HasCurrency, Base):
    """A step of a ticket that a rule has decided."""

    __tablename__ = "rule_decisions"
    __table_args__ = (Index("ix_rule_decisions_code_day", "code", "day"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    step: Mapped[AgreementStep] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("agreement_rules.id"), index=True)
    code: Mapped[str]
    """The code of the rule: its daily limit holds for all its versions together."""
    day: Mapped[date]
    """The day of the shop."""
    currency: Mapped[CurrencyCode]
    amount: Mapped[Minor]
    """What the ticket is worth."""
    daily_amount: Mapped[Minor]
    """What the rule could give on that day in this currency, by the version that has decided."""
    daily_tickets: Mapped[int]
    """How many tickets it could agree to on that day."""
    decided_at: Mapped[datetime]


FIRST_RULE = DDL(
    "INSERT INTO agreement_rules (code, version, title, moment, types, reasons, amounts, daily_amounts,"
    " daily_tickets, needs_picture, orders_at_least, active, created_at)"
    " VALUES ('silence', 1, 'Nobody has answered in time', 'SILENCE',"
    ' \'["REFUND_ONLY", "RETURN_REFUND", "EXCHANGE", "RESHIP"]\','
    ' \'["NO_REASON", "QUALITY_FAULT", "WRONG_ITEM", "MISSING_ITEM", "DAMAGED", "NOT_AS_DESCRIBED",'
    " \"NOT_RECEIVED\"]', '{}',"
    ' \'{"CNY": 1000000, "USD": 140000, "EUR": 130000, "GBP": 110000, "JPY": 200000, "HKD": 1100000}\','
    " 100, false, 0, true, '2000-01-01 00:00:00')"
)
"""The rule about the shop's silence that a new shop begins with, as the migrations write it."""

event.listen(AgreementRule.__table__, "after_create", FIRST_RULE)


def select_rules_now() -> AnySelect:
    """The newest version of each rule."""
    newest = select(func.max(AgreementRule.id)).group_by(AgreementRule.code)
    return select(AgreementRule).where(AgreementRule.id.in_(newest))

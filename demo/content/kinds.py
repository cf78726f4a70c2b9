"""The types of the content; base texts are Chinese, `en` is the English of the name or title."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from domain.catalog.product import ProductDraft
from domain.stock.pickup_hours import OpeningHours
from models.account import Role
from models.aftersales import TicketReason, TicketType
from models.catalog import AttributeType
from models.claim_policy import ClaimExclusion
from models.knowledge import ArticleAudience
from models.money import CurrencyCode, Money
from models.promotion import PromotionKind
from models.training import QuestionKind


def _parse_yuan(amount: Decimal) -> Money:
    return Money.of(Decimal(amount), CurrencyCode.CNY)


Yuan = Annotated[Money, BeforeValidator(_parse_yuan)]
"""Money that a file gives as a number of yuan."""


@dataclass(frozen=True, slots=True)
class CategoryContent:
    slug: str
    name: str
    en: str
    position: int
    """Counts from 1 among the children of one parent."""
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class AttributeValueContent:
    code: str
    name: str
    en: str


@dataclass(frozen=True, slots=True)
class AttributeContent:
    code: str
    category: str
    """Slug of the category that defines it; those below inherit it."""
    name: str
    en: str
    type: AttributeType
    unit: str | None = None
    unit_en: str | None = None
    required: bool = False
    filterable: bool = False
    values: tuple[AttributeValueContent, ...] = ()


@dataclass(frozen=True, slots=True)
class ArticleContent:
    slug: str
    title: str
    language: str
    category: str
    tags: tuple[str, ...]
    body: str
    """Markdown."""
    audience: ArticleAudience = ArticleAudience.PUBLIC
    questions: tuple[str, ...] = ()
    """Other ways to ask what it answers."""
    translates: str | None = None
    """The slug of the article that it translates."""


@dataclass(frozen=True, slots=True)
class AddressContent:
    recipient: str
    phone: str
    province: str
    city: str
    district: str
    line1: str
    postal_code: str
    line2: str = ""
    country_code: str = "CN"


@dataclass(frozen=True, slots=True)
class CustomerContent:
    name: str
    email: str
    phone: str
    language: str
    addresses: tuple[AddressContent, ...]


@dataclass(frozen=True, slots=True)
class StaffContent:
    role: Role
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class TicketAgentContent:
    """Somebody of the staff to whom the shop gives tickets of these types, in one language."""

    email: str
    language: str
    types: tuple[TicketType, ...]
    open_limit: int
    away: bool = False


@dataclass(frozen=True, slots=True)
class WarehouseContent:
    code: str
    name: str
    en: str
    country_code: str
    province: str
    city: str
    district: str
    line1: str
    latitude: float
    longitude: float
    allows_pickup: bool = False
    pickup_hours: tuple[OpeningHours, ...] = ()
    pickup_instructions: str = ""


@dataclass(frozen=True, slots=True)
class ClaimPolicyContent:
    """The terms of a category; what is not named is inherited."""

    category: str
    """Slug of the category."""
    windows: Mapping[TicketReason, int] = field(default_factory=dict)
    exclusion: ClaimExclusion | None = None
    refused_reasons: tuple[TicketReason, ...] | None = None


@dataclass(frozen=True, slots=True)
class TierContent:
    minimum: Yuan
    amount: Yuan


@dataclass(frozen=True, slots=True)
class PromotionContent:
    title: str
    en: str
    kind: PromotionKind
    code: str | None = None
    percent: int | None = None
    amount: Yuan | None = None
    """The discount; in a flash sale, the price."""
    tiers: tuple[TierContent, ...] = ()
    buy: int | None = None
    get: int | None = None
    sku: str | None = None
    """The variant of a flash sale."""
    share: int | None = None
    per_buyer: int | None = None
    category: str | None = None
    """Slug of the category that it is limited to."""
    minimum: Yuan | None = None
    cap: Yuan | None = None
    groups: tuple[str, ...] = ()
    usage_limit: int | None = None
    per_customer: int | None = None
    days: int = 365
    """Its duration in days, from the loading of the demo shop."""


@dataclass(frozen=True, slots=True)
class TicketContent:
    """A customer's ticket about the variant `sku`."""

    type: TicketType
    reason: TicketReason
    sku: str
    language: str
    description: str


@dataclass(frozen=True, slots=True)
class AskedContent:
    """What a customer asks that is about no order, and what the shop has answered."""

    language: str
    description: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class PastTicketContent:
    """A ticket that has ended; hours count from when it was opened."""

    opened_after_days: int
    """Days after what was bought has arrived."""
    type: TicketType
    reason: TicketReason
    description: str
    answered_hours: float
    ended_hours: float
    sku: str | None = None
    """What it is about; None of a question about no order."""
    agent: str | None = None
    """The e-mail address of who has it; None where somebody has answered without taking it."""
    answer: str = ""
    """What is said to a question."""
    follow_up: str = ""
    """What the customer asks again."""
    refused_first: bool = False
    rating: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PastOrderContent:
    """What a customer bought so many days ago, two of each, and their tickets since."""

    customer: str
    """Their e-mail address."""
    days_ago: int
    tickets: tuple[PastTicketContent, ...]


@dataclass(frozen=True, slots=True)
class EnglishQuestion:
    """A question in English; its options are in the order of the Chinese ones."""

    prompt: str
    explanation: str
    options: tuple[str, ...]
    situation: str | None = None


@dataclass(frozen=True, slots=True)
class QuestionContent:
    """A question of a quiz; `right` has the places of its right options, from 1 on."""

    kind: QuestionKind
    prompt: str
    explanation: str
    options: tuple[str, ...]
    en: EnglishQuestion
    right: tuple[int, ...] = ()
    points: int = 1
    situation: str | None = None


@dataclass(frozen=True, slots=True)
class EnglishCourse:
    """The title and the description of a course in English."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class CourseContent:
    """A course about articles, and which roles of the demo shop's staff have passed it."""

    title: str
    description: str
    en: EnglishCourse
    articles: tuple[str, ...]
    """Slugs."""
    questions: tuple[QuestionContent, ...]
    passed_by: tuple[Role, ...] = ()
    expired_for: tuple[Role, ...] = ()
    """Who passed it so long ago that it has expired."""
    required_for: TicketType | None = None
    required_above: Yuan | None = None
    """Refunds of more take its certificate."""


@dataclass(frozen=True, slots=True)
class Content:
    """All content of the demo shop. Categories come after their parents."""

    categories: tuple[CategoryContent, ...]
    attributes: tuple[AttributeContent, ...]
    warehouses: tuple[WarehouseContent, ...]
    """The first is the main one."""
    products: tuple[ProductDraft, ...]
    claim_policies: tuple[ClaimPolicyContent, ...]
    articles: tuple[ArticleContent, ...]
    synonyms: tuple[tuple[str, ...], ...]
    courses: tuple[CourseContent, ...]
    customers: tuple[CustomerContent, ...]
    guests: tuple[CustomerContent, ...]
    """Who orders without an account."""
    staff: tuple[StaffContent, ...]
    ticket_agents: tuple[TicketAgentContent, ...]
    promotions: tuple[PromotionContent, ...]
    tickets: tuple[TicketContent, ...]
    questions: tuple[AskedContent, ...]
    past_orders: tuple[PastOrderContent, ...]
    """The first one first."""

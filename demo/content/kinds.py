"""The kinds of content: base texts are Chinese, `en` is the English for the name or title beside it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from domain.catalog.drafts import ProductDraft
from models.account import Role
from models.aftersales import TicketReason, TicketType
from models.catalog import AttributeType
from models.money import CurrencyCode, Money
from models.offer import OfferKind


def _yuan(amount: Decimal) -> Money:
    return Money.of(Decimal(amount), CurrencyCode.CNY)


Yuan = Annotated[Money, BeforeValidator(_yuan)]
"""Money that a file gives as a plain number of yuan."""


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


@dataclass(frozen=True, slots=True)
class TierContent:
    minimum: Yuan
    amount: Yuan


@dataclass(frozen=True, slots=True)
class OfferContent:
    title: str
    en: str
    kind: OfferKind
    code: str | None = None
    percent: int | None = None
    amount: Yuan | None = None
    """What is taken off; in a flash sale the price."""
    tiers: tuple[TierContent, ...] = ()
    buy: int | None = None
    get: int | None = None
    sku: str | None = None
    """What a flash sale sells."""
    share: int | None = None
    per_buyer: int | None = None
    category: str | None = None
    """Slug of the category it is for; without one it is for everything."""
    minimum: Yuan | None = None
    cap: Yuan | None = None
    groups: tuple[str, ...] = ()
    usage_limit: int | None = None
    per_customer: int | None = None
    days: int = 365
    """How long it lasts from the first start of the shop."""


@dataclass(frozen=True, slots=True)
class TicketContent:
    """What a customer might write about the variant `sku`."""

    type: TicketType
    reason: TicketReason
    sku: str
    language: str
    words: str


@dataclass(frozen=True, slots=True)
class Content:
    """Everything the demo shop starts with. Categories come after their parents."""

    categories: tuple[CategoryContent, ...]
    attributes: tuple[AttributeContent, ...]
    warehouses: tuple[WarehouseContent, ...]
    """The first is the main one."""
    products: tuple[ProductDraft, ...]
    articles: tuple[ArticleContent, ...]
    customers: tuple[CustomerContent, ...]
    staff: tuple[StaffContent, ...]
    offers: tuple[OfferContent, ...]
    tickets: tuple[TicketContent, ...]

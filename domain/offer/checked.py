"""What a clerk says about an offer, and whether it makes sense: refused by the name of the field."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from domain.errors import Invalid, LimitReached
from domain.offer.terms import code_of
from models import CurrencyCode, OfferKind, ScopeKind, Translations

CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
TITLE_LIMIT = 200
AMOUNT_LIMIT = 1_000_000_000
"""Minor units."""
COUNT_LIMIT = 1_000_000_000
UNITS_LIMIT = 1_000
"""Units bought or free in one round."""
TIERS_LIMIT = 20
SCOPE_LIMIT = 1_000
GROUPS_LIMIT = 10
GROUP_LIMIT = 40
PRIORITY_LIMIT = 1_000
WHOLE = 100
"""Percent in one."""

Field = tuple[str | int, ...]

TERMS: Mapping[OfferKind, frozenset[str]] = {
    OfferKind.PERCENT: frozenset({"percent"}),
    OfferKind.FIXED: frozenset({"amount"}),
    OfferKind.FULL_REDUCTION: frozenset({"tiers"}),
    OfferKind.BUY_N_GET_M: frozenset({"buy", "get"}),
    OfferKind.FREE_SHIPPING: frozenset(),
    OfferKind.FLASH_SALE: frozenset({"amount", "variant_id", "share"}),
}
"""What each kind needs; none of it is for another kind."""

WORDS = {
    "percent": "a percentage",
    "amount": "an amount",
    "tiers": "steps",
    "buy": "units to buy",
    "get": "free units",
    "variant_id": "a flash sale",
    "share": "a flash sale",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything a clerk decides about an offer; amounts are minor units."""

    title: str
    kind: OfferKind
    code: str | None = None
    percent: int | None = None
    amount: int | None = None
    tiers: Sequence[Mapping[str, int]] = ()
    repeating: bool = False
    buy: int | None = None
    get: int | None = None
    variant_id: int | None = None
    share: int | None = None
    share_per_buyer: int | None = None
    scope: ScopeKind = ScopeKind.ALL
    scope_ids: Sequence[int] = ()
    scope_brands: Sequence[str] = ()
    currency: CurrencyCode | None = None
    minimum_amount: int = 0
    minimum_quantity: int = 0
    cap_amount: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    usage_limit: int | None = None
    usage_limit_per_buyer: int | None = None
    priority: int = 0
    stackable: bool = True
    exclusion_groups: Sequence[str] = ()
    translations: Translations


def checked(draft: Draft) -> dict[str, Any]:
    """The columns of a draft that makes sense; Invalid names the field of one that does not."""
    code = None if draft.code is None else code_of(draft.code)
    if code is not None and not CODE.fullmatch(code):
        raise Invalid("A code has 3 to 40 letters, digits, - or _.", field=("code",))
    check_terms(draft)
    check_scope(draft)
    check_conditions(draft)
    check_time(draft)
    return asdict(draft) | {
        "code": code,
        "title": titled(draft.title, ("title",)),
        "tiers": [dict(tier) for tier in sorted(draft.tiers, key=lambda tier: tier["minimum"])],
        "scope_ids": sorted(set(draft.scope_ids)),
        "scope_brands": list(dict.fromkeys(draft.scope_brands)),
        "exclusion_groups": groups(draft.exclusion_groups),
        "translations": translated(draft.translations),
    }


def titled(text: str, field: Field) -> str:
    title = text.strip()
    if not 1 <= len(title) <= TITLE_LIMIT or UNPRINTABLE.search(title):
        raise Invalid(f"A title has 1 to {TITLE_LIMIT} characters.", field=field)
    return title


def translated(translations: Translations) -> Translations:
    for language, texts in translations.items():
        if not LANGUAGE.fullmatch(language):
            raise Invalid("This is not a language tag.", field=("translations",))
        titled(texts["title"], ("translations",))
    return translations


def check_terms(draft: Draft) -> None:
    """What its kind needs is there, in its bounds, and nothing else."""
    given = {name for name in WORDS if getattr(draft, name) not in (None, (), [])}
    needed = TERMS[draft.kind]
    kind = draft.kind.value
    for name in WORDS:
        if name in needed and name not in given:
            raise Invalid(f"A {kind} offer needs {WORDS[name]}.", field=field_of(name))
    for name in WORDS:
        if name in given and name not in needed:
            raise Invalid(f"A {kind} offer has no {WORDS[name].split(' ', 1)[-1]}.", field=field_of(name))
    within(draft.percent, 1, WHOLE, ("percent",))
    price = ("flash_sale", "price") if draft.kind is OfferKind.FLASH_SALE else ("amount",)
    within(draft.amount, 1, AMOUNT_LIMIT, price)
    within(draft.buy, 1, UNITS_LIMIT, ("buy",))
    within(draft.get, 1, UNITS_LIMIT, ("get",))
    within(draft.share, 1, COUNT_LIMIT, ("flash_sale", "share"))
    within(draft.share_per_buyer, 1, COUNT_LIMIT, ("flash_sale", "per_buyer"))
    if draft.repeating and draft.kind is not OfferKind.FULL_REDUCTION:
        raise Invalid("Only a full reduction can be given as often as it fits.", field=("repeating",))
    check_tiers(draft)


def check_tiers(draft: Draft) -> None:
    if len(draft.tiers) > TIERS_LIMIT:
        raise LimitReached(f"An offer has at most {TIERS_LIMIT} steps.", field=("tiers",))
    minimums = set()
    for place, tier in enumerate(draft.tiers):
        within(tier["minimum"], 1, AMOUNT_LIMIT, ("tiers", place, "minimum"))
        within(tier["amount"], 1, AMOUNT_LIMIT, ("tiers", place, "amount"))
        if tier["amount"] > tier["minimum"]:
            raise Invalid("This takes off more than the goods cost.", field=("tiers", place, "amount"))
        if tier["minimum"] in minimums:
            raise Invalid("There is such a step already.", field=("tiers", place, "minimum"))
        minimums.add(tier["minimum"])


def check_scope(draft: Draft) -> None:
    if draft.scope is not ScopeKind.ALL and draft.kind is OfferKind.FLASH_SALE:
        raise Invalid("A flash sale is for its own variant only.", field=("scope",))
    if len(draft.scope_ids) > SCOPE_LIMIT or len(draft.scope_brands) > SCOPE_LIMIT:
        raise LimitReached(f"An offer names at most {SCOPE_LIMIT} things.", field=("scope",))
    for place, brand in enumerate(draft.scope_brands):
        if not brand.strip() or UNPRINTABLE.search(brand):
            raise Invalid("This is not a brand.", field=("scope", "brands", place))


def check_conditions(draft: Draft) -> None:
    if draft.currency is None and has_amounts(draft):
        raise Invalid("Say in which currency its amounts are.", field=("currency_code",))
    within(draft.minimum_amount, 0, AMOUNT_LIMIT, ("minimum",))
    within(draft.minimum_quantity, 0, COUNT_LIMIT, ("minimum_quantity",))
    within(draft.cap_amount, 1, AMOUNT_LIMIT, ("cap",))
    within(draft.usage_limit, 1, COUNT_LIMIT, ("usage_limit",))
    within(draft.usage_limit_per_buyer, 1, COUNT_LIMIT, ("usage_limit_per_buyer",))
    within(draft.priority, -PRIORITY_LIMIT, PRIORITY_LIMIT, ("priority",))


def check_time(draft: Draft) -> None:
    if draft.starts_at and draft.ends_at and draft.starts_at >= draft.ends_at:
        raise Invalid("It would end before it starts.", field=("ends_at",))
    if draft.kind is OfferKind.FLASH_SALE and not draft.ends_at:
        raise Invalid("Say when the flash sale ends.", field=("ends_at",))


def groups(names: Sequence[str]) -> list[str]:
    if len(names) > GROUPS_LIMIT:
        raise LimitReached(f"An offer is in at most {GROUPS_LIMIT} groups.", field=("exclusion_groups",))
    for place, name in enumerate(names):
        if not 1 <= len(name.strip()) <= GROUP_LIMIT or UNPRINTABLE.search(name):
            field = ("exclusion_groups", place)
            raise Invalid(f"The name of a group has 1 to {GROUP_LIMIT} characters.", field=field)
    return list(dict.fromkeys(name.strip() for name in names))


def has_amounts(draft: Draft) -> bool:
    """Whether it is for one currency only."""
    amounts = (draft.amount, draft.tiers, draft.minimum_amount, draft.cap_amount)
    return any(amounts)


def within(value: int | None, least: int, most: int, field: Field) -> None:
    if value is not None and not least <= value <= most:
        raise Invalid(f"This is a number from {least:,} to {most:,}.", field=field)


def field_of(name: str) -> Field:
    return ("flash_sale",) if name in ("variant_id", "share") else (name,)

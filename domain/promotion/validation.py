"""Validation of a promotion draft; a refusal names the field that is wrong."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.errors import Invalid, LimitReached
from domain.promotion.codes import normalize_code
from models import CurrencyCode, PromotionKind, PromotionScopeKind, Translations
from text.messages import Message

CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
TITLE_LIMIT = 200
AMOUNT_LIMIT = 1_000_000_000
"""Minor units."""
COUNT_LIMIT = 1_000_000_000
UNITS_LIMIT = 1_000
"""Units to buy, or free, in one round of BUY_N_GET_M."""
TIERS_LIMIT = 20
SCOPE_LIMIT = 1_000
GROUPS_LIMIT = 10
GROUP_LIMIT = 40
PRIORITY_LIMIT = 1_000
PERCENT_LIMIT = 100

Field = tuple[str | int, ...]

REQUIRED_TERMS: Mapping[PromotionKind, frozenset[str]] = {
    PromotionKind.PERCENT: frozenset({"percent"}),
    PromotionKind.FIXED: frozenset({"amount"}),
    PromotionKind.FULL_REDUCTION: frozenset({"tiers"}),
    PromotionKind.BUY_N_GET_M: frozenset({"buy", "get"}),
    PromotionKind.FREE_SHIPPING: frozenset(),
    PromotionKind.FLASH_SALE: frozenset({"amount", "variant_id", "share"}),
}
"""The terms each kind needs; a kind has no other terms."""

TERM_NAMES = {
    "percent": Message("percentage"),
    "amount": Message("amount"),
    "tiers": Message("steps"),
    "buy": Message("units to buy"),
    "get": Message("free units"),
    "variant_id": Message("flash sale"),
    "share": Message("flash sale"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionDraft:
    """All that is decided about a promotion; amounts are minor units, fields are columns."""

    title: str
    kind: PromotionKind
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
    scope: PromotionScopeKind = PromotionScopeKind.ALL
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


def normalize_draft(draft: PromotionDraft) -> PromotionDraft:
    """The draft as it is stored; Invalid or LimitReached names the field that is wrong."""
    code = None if draft.code is None else normalize_code(draft.code)
    if code is not None and not CODE.fullmatch(code):
        raise Invalid("A code has 3 to 40 letters, digits, - or _.", field=("code",))
    check_terms(draft)
    check_scope(draft)
    check_conditions(draft)
    check_period(draft)
    check_translations(draft.translations)
    return replace(
        draft,
        code=code,
        title=normalize_title(draft.title, ("title",)),
        tiers=[dict(tier) for tier in sorted(draft.tiers, key=lambda tier: tier["minimum"])],
        scope_ids=sorted(set(draft.scope_ids)),
        scope_brands=list(dict.fromkeys(draft.scope_brands)),
        exclusion_groups=normalize_groups(draft.exclusion_groups),
    )


def normalize_title(text: str, field: Field) -> str:
    title = text.strip()
    if not 1 <= len(title) <= TITLE_LIMIT or UNPRINTABLE.search(title):
        raise Invalid("A title has 1 to {limit} characters.", limit=TITLE_LIMIT, field=field)
    return title


def check_translations(translations: Translations) -> None:
    for language, texts in translations.items():
        if not LANGUAGE.fullmatch(language):
            raise Invalid("This is not a language tag.", field=("translations",))
        normalize_title(texts["title"], ("translations",))


def check_terms(draft: PromotionDraft) -> None:
    """The terms its kind needs are given, within their bounds, and no others."""
    given = {name for name in TERM_NAMES if getattr(draft, name) not in (None, (), [])}
    required = REQUIRED_TERMS[draft.kind]
    kind = draft.kind.value
    for name, term in TERM_NAMES.items():
        if name in required and name not in given:
            raise Invalid(
                "A {kind} promotion needs: {term}.",
                kind=kind,
                term=term,
                field=field_of(name),
            )
    for name, term in TERM_NAMES.items():
        if name in given and name not in required:
            raise Invalid("A {kind} promotion has no {term}.", kind=kind, term=term, field=field_of(name))
    check_range(draft.percent, 1, PERCENT_LIMIT, ("percent",))
    price = ("flash_sale", "price") if draft.kind is PromotionKind.FLASH_SALE else ("amount",)
    check_range(draft.amount, 1, AMOUNT_LIMIT, price)
    check_range(draft.buy, 1, UNITS_LIMIT, ("buy",))
    check_range(draft.get, 1, UNITS_LIMIT, ("get",))
    check_range(draft.share, 1, COUNT_LIMIT, ("flash_sale", "share"))
    check_range(draft.share_per_buyer, 1, COUNT_LIMIT, ("flash_sale", "per_buyer"))
    if draft.repeating and draft.kind is not PromotionKind.FULL_REDUCTION:
        raise Invalid("Only a full reduction can be given as often as it fits.", field=("repeating",))
    check_tiers(draft)


def check_tiers(draft: PromotionDraft) -> None:
    if len(draft.tiers) > TIERS_LIMIT:
        raise LimitReached("A promotion has at most {limit} steps.", limit=TIERS_LIMIT, field=("tiers",))
    minimums = set()
    for index, tier in enumerate(draft.tiers):
        check_range(tier["minimum"], 1, AMOUNT_LIMIT, ("tiers", index, "minimum"))
        check_range(tier["amount"], 1, AMOUNT_LIMIT, ("tiers", index, "amount"))
        if tier["amount"] > tier["minimum"]:
            raise Invalid("This takes off more than the goods cost.", field=("tiers", index, "amount"))
        if tier["minimum"] in minimums:
            raise Invalid("There is such a step already.", field=("tiers", index, "minimum"))
        minimums.add(tier["minimum"])


def check_scope(draft: PromotionDraft) -> None:
    if draft.scope is not PromotionScopeKind.ALL and draft.kind is PromotionKind.FLASH_SALE:
        raise Invalid("A flash sale is for its own variant only.", field=("scope",))
    if len(draft.scope_ids) > SCOPE_LIMIT or len(draft.scope_brands) > SCOPE_LIMIT:
        raise LimitReached("A promotion names at most {limit} things.", limit=SCOPE_LIMIT, field=("scope",))
    for index, brand in enumerate(draft.scope_brands):
        if not brand.strip() or UNPRINTABLE.search(brand):
            raise Invalid("This is not a brand.", field=("scope", "brands", index))


def check_conditions(draft: PromotionDraft) -> None:
    """Currency, minimums, cap, limits and priority are within their bounds."""
    if draft.currency is None and has_amounts(draft):
        raise Invalid("Say in which currency its amounts are.", field=("currency_code",))
    check_range(draft.minimum_amount, 0, AMOUNT_LIMIT, ("minimum",))
    check_range(draft.minimum_quantity, 0, COUNT_LIMIT, ("minimum_quantity",))
    check_range(draft.cap_amount, 1, AMOUNT_LIMIT, ("cap",))
    check_range(draft.usage_limit, 1, COUNT_LIMIT, ("usage_limit",))
    check_range(draft.usage_limit_per_buyer, 1, COUNT_LIMIT, ("usage_limit_per_buyer",))
    check_range(draft.priority, -PRIORITY_LIMIT, PRIORITY_LIMIT, ("priority",))


def check_period(draft: PromotionDraft) -> None:
    if draft.starts_at and draft.ends_at and draft.starts_at >= draft.ends_at:
        raise Invalid("It would end before it starts.", field=("ends_at",))
    if draft.kind is PromotionKind.FLASH_SALE and not draft.ends_at:
        raise Invalid("Say when the flash sale ends.", field=("ends_at",))


def normalize_groups(names: Sequence[str]) -> list[str]:
    if len(names) > GROUPS_LIMIT:
        raise LimitReached(
            "A promotion is in at most {limit} groups.", limit=GROUPS_LIMIT, field=("exclusion_groups",)
        )
    for index, name in enumerate(names):
        if not 1 <= len(name.strip()) <= GROUP_LIMIT or UNPRINTABLE.search(name):
            field = ("exclusion_groups", index)
            raise Invalid("The name of a group has 1 to {limit} characters.", limit=GROUP_LIMIT, field=field)
    return list(dict.fromkeys(name.strip() for name in names))


def has_amounts(draft: PromotionDraft) -> bool:
    """Whether it is for one currency only."""
    amounts = (draft.amount, draft.tiers, draft.minimum_amount, draft.cap_amount)
    return any(amounts)


def check_range(value: int | None, least: int, most: int, field: Field) -> None:
    if value is not None and not least <= value <= most:
        raise Invalid("This is a number from {least} to {most}.", least=least, most=most, field=field)


def field_of(term: str) -> Field:
    """The path of a term in the input of `promotionSave`."""
    return ("flash_sale",) if term in ("variant_id", "share") else (term,)

"""Validation of a promotion draft; a refusal names the field that is wrong."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.errors import Invalid, LimitReached, collect_refusals
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
    """The draft as it is stored; refusals name every field that is wrong."""
    code = None if draft.code is None else normalize_code(draft.code)
    with collect_refusals() as check:
        title = check.value(lambda: normalize_title(draft.title, ("title",)), "")
        groups = check.value(lambda: normalize_groups(draft.exclusion_groups), list[str]())
        if code is not None and not CODE.fullmatch(code):
            check.add(Invalid("A code has 3 to 40 letters, digits, - or _.", field=("code",)))
        for check_part in (check_terms, check_scope, check_conditions, check_period, check_translations):
            with check:
                check_part(draft)
    return replace(
        draft,
        code=code,
        title=title,
        tiers=[dict(tier) for tier in sorted(draft.tiers, key=lambda tier: tier["minimum"])],
        scope_ids=sorted(set(draft.scope_ids)),
        scope_brands=list(dict.fromkeys(draft.scope_brands)),
        exclusion_groups=groups,
    )


def normalize_title(text: str, field: Field) -> str:
    title = text.strip()
    if not 1 <= len(title) <= TITLE_LIMIT or UNPRINTABLE.search(title):
        raise Invalid("A title has 1 to {limit} characters.", limit=TITLE_LIMIT, field=field)
    return title


def check_translations(draft: PromotionDraft) -> None:
    for language, texts in draft.translations.items():
        if not LANGUAGE.fullmatch(language):
            raise Invalid("This is not a language tag.", field=("translations",))
        normalize_title(texts["title"], ("translations",))


def check_terms(draft: PromotionDraft) -> None:
    """The terms its kind needs are given, within their bounds, and no others."""
    given = {name for name in TERM_NAMES if getattr(draft, name) not in (None, (), [])}
    required = REQUIRED_TERMS[draft.kind]
    kind = draft.kind.value
    price = ("flash_sale", "price") if draft.kind is PromotionKind.FLASH_SALE else ("amount",)
    with collect_refusals() as check:
        for name, term in TERM_NAMES.items():
            field = field_of(draft, name)
            if name in required and name not in given:
                needed = TERM_NAMES["variant_id"] if is_of_flash_sale(draft, name) else term
                check.add(Invalid("A {kind} promotion needs: {term}.", kind=kind, term=needed, field=field))
            if name in given and name not in required:
                check.add(Invalid("A {kind} promotion has no {term}.", kind=kind, term=term, field=field))
        with check:
            check_ranges(
                (draft.percent, 1, PERCENT_LIMIT, ("percent",)),
                (draft.amount, 1, AMOUNT_LIMIT, price),
                (draft.buy, 1, UNITS_LIMIT, ("buy",)),
                (draft.get, 1, UNITS_LIMIT, ("get",)),
                (draft.share, 1, COUNT_LIMIT, ("flash_sale", "share")),
                (draft.share_per_buyer, 1, COUNT_LIMIT, ("flash_sale", "per_buyer")),
            )
        if draft.repeating and draft.kind is not PromotionKind.FULL_REDUCTION:
            check.add(
                Invalid("Only a full reduction can be given as often as it fits.", field=("repeating",))
            )
        with check:
            check_tiers(draft)


def check_tiers(draft: PromotionDraft) -> None:
    with collect_refusals() as check:
        if len(draft.tiers) > TIERS_LIMIT:
            check.add(
                LimitReached("A promotion has at most {limit} steps.", limit=TIERS_LIMIT, field=("tiers",))
            )
        minimums = set()
        for index, tier in enumerate(draft.tiers):
            with check:
                check_ranges(
                    (tier["minimum"], 1, AMOUNT_LIMIT, ("tiers", index, "minimum")),
                    (tier["amount"], 1, AMOUNT_LIMIT, ("tiers", index, "amount")),
                )
            if tier["amount"] > tier["minimum"]:
                check.add(
                    Invalid("This takes off more than the goods cost.", field=("tiers", index, "amount"))
                )
            if tier["minimum"] in minimums:
                check.add(Invalid("There is such a step already.", field=("tiers", index, "minimum")))
            minimums.add(tier["minimum"])


def check_scope(draft: PromotionDraft) -> None:
    with collect_refusals() as check:
        if draft.scope is not PromotionScopeKind.ALL and draft.kind is PromotionKind.FLASH_SALE:
            check.add(Invalid("A flash sale is for its own variant only.", field=("scope",)))
        if len(draft.scope_ids) > SCOPE_LIMIT or len(draft.scope_brands) > SCOPE_LIMIT:
            check.add(
                LimitReached("A promotion names at most {limit} things.", limit=SCOPE_LIMIT, field=("scope",))
            )
        for index, brand in enumerate(draft.scope_brands):
            if not brand.strip() or UNPRINTABLE.search(brand):
                check.add(Invalid("This is not a brand.", field=("scope", "brands", index)))


def check_conditions(draft: PromotionDraft) -> None:
    """Currency, minimums, cap, limits and priority are within their bounds."""
    with collect_refusals() as check:
        if draft.currency is None and has_amounts(draft):
            check.add(Invalid("Say in which currency its amounts are.", field=("currency_code",)))
        check_ranges(
            (draft.minimum_amount, 0, AMOUNT_LIMIT, ("minimum",)),
            (draft.minimum_quantity, 0, COUNT_LIMIT, ("minimum_quantity",)),
            (draft.cap_amount, 1, AMOUNT_LIMIT, ("cap",)),
            (draft.usage_limit, 1, COUNT_LIMIT, ("usage_limit",)),
            (draft.usage_limit_per_buyer, 1, COUNT_LIMIT, ("usage_limit_per_buyer",)),
            (draft.priority, -PRIORITY_LIMIT, PRIORITY_LIMIT, ("priority",)),
        )


def check_period(draft: PromotionDraft) -> None:
    with collect_refusals() as check:
        if draft.starts_at and draft.ends_at and draft.starts_at >= draft.ends_at:
            check.add(Invalid("It would end before it starts.", field=("ends_at",)))
        if draft.kind is PromotionKind.FLASH_SALE and not draft.ends_at:
            check.add(Invalid("Say when the flash sale ends.", field=("ends_at",)))


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


def check_ranges(*rows: tuple[int | None, int, int, Field]) -> None:
    """Refuse every number below its least or above its most value; each row names its field."""
    with collect_refusals() as check:
        for value, least, most, field in rows:
            if value is not None and not least <= value <= most:
                check.add(
                    Invalid("This is a number from {least} to {most}.", least=least, most=most, field=field)
                )


def field_of(draft: PromotionDraft, term: str) -> Field:
    """The path of a term in the input of `promotionSave`."""
    return ("flash_sale",) if is_of_flash_sale(draft, term) else (term,)


def is_of_flash_sale(draft: PromotionDraft, term: str) -> bool:
    """Whether a term is given with the flash sale; the price of one is its amount."""
    return term in ("variant_id", "share") or (
        term == "amount" and draft.kind is PromotionKind.FLASH_SALE and draft.amount is None
    )

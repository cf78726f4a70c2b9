"""What a form may say about a product: the same limits as for files, refused by the name of the field."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from domain.catalog.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.html import clean
from domain.catalog.interchange import NAME_LIMIT, PICTURE_LIMIT, VARIANT_LIMIT
from domain.catalog.interchange import values as read
from domain.catalog.interchange.columns import OPTIONS
from domain.errors import Invalid, LimitReached, Taken
from domain.visible import visible

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
TAG_LIMIT = 250
LANGUAGE_LIMIT = 20
SEO_LIMIT = 5_000
MINOR_LIMIT = 10**12
"""Minor units of a price."""

Field = tuple[str | int, ...]
T = TypeVar("T")


def checked(draft: ProductDraft) -> ProductDraft:
    """The draft as it can be saved: trimmed, its HTML harmless. Invalid names the field that is wrong."""
    slug = said(draft.slug, ("slug",))
    return replace(
        draft,
        slug=meant(slug, read.slug, ("slug",)),
        title=named(draft.title, ("title",)),
        description=meant(draft.description, clean, ("description",)),
        brand=within(draft.brand, ("brand",)),
        product_type=within(draft.product_type, ("product_type",)),
        tags=tags(draft.tags),
        seo_title=within(draft.seo_title, ("seo_title",), limit=SEO_LIMIT),
        seo_description=within(draft.seo_description, ("seo_description",), limit=SEO_LIMIT),
        translations=dict(translations(draft.translations)),
        attributes=attributes(draft.attributes),
        pictures=pictures(draft.pictures),
        variants=variants(draft.variants),
    )


def said(text: str, field: Field) -> str:
    """`text` as it can be seen; nothing is not enough."""
    if not (told := visible(text)):
        raise Invalid("This cannot be empty.", field=field)
    return told


def named(text: str, field: Field) -> str:
    return within(said(text, field), field)


def within(text: str, field: Field, *, limit: int = NAME_LIMIT) -> str:
    told = visible(text)
    if len(told) > limit:
        raise Invalid(f"This has {len(told):,} characters; at most {limit:,} are taken.", field=field)
    return told


def meant(text: str, parse: Callable[[str], T], field: Field) -> T:
    """What `parse` makes of a text; its ValueError becomes a refusal."""
    try:
        return parse(text)
    except ValueError as wrong:
        reason = str(wrong)
        raise Invalid(f"This {reason}." if reason.startswith("has ") else f"{reason}.", field=field) from None


def tags(given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > TAG_LIMIT:
        raise LimitReached(f"A product has at most {TAG_LIMIT} tags.", field=("tags",))
    return tuple(dict.fromkeys(named(tag, ("tags", index)) for index, tag in enumerate(given)))


def translations(given: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, dict[str, str]]]:
    if len(given) > LANGUAGE_LIMIT:
        raise LimitReached(f"A product speaks at most {LANGUAGE_LIMIT} languages.", field=("translations",))
    for index, (language, texts) in enumerate(given.items()):
        field = ("translations", index)
        told = {
            "title": within(texts.get("title", ""), (*field, "title")),
            "description": meant(texts.get("description", ""), clean, (*field, "description")),
        }
        if not LANGUAGE.fullmatch(language):
            raise Invalid('A language is a tag such as "en" or "zh-CN".', field=(*field, "language"))
        if any(told.values()):
            yield language, {name: text for name, text in told.items() if text}


def attributes(given: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    told = {code: tuple(filter(None, map(visible, texts))) for code, texts in given.items()}
    return {code: texts for code, texts in told.items() if texts}


def pictures(given: Sequence[PictureDraft]) -> tuple[PictureDraft, ...]:
    if len(given) > PICTURE_LIMIT:
        raise LimitReached(f"A product has at most {PICTURE_LIMIT} pictures.", field=("pictures",))
    return tuple(
        PictureDraft(
            meant(picture.url.strip(), read.address, ("pictures", index, "url")),
            within(picture.alt, ("pictures", index, "alt"), limit=SEO_LIMIT),
            index + 1,
        )
        for index, picture in enumerate(given)
    )


def variants(given: Sequence[VariantDraft]) -> tuple[VariantDraft, ...]:
    if len(given) > VARIANT_LIMIT:
        raise LimitReached(f"A product has at most {VARIANT_LIMIT:,} variants.", field=("variants",))
    found: dict[tuple[tuple[str, str], ...], VariantDraft] = {}
    for index, draft in enumerate(given):
        variant = checked_variant(draft, ("variants", index))
        if variant.options in found:
            raise Taken("Two variants have the same options.", field=("variants", index, "options"))
        found[variant.options] = variant
    if len({tuple(name for name, _ in options) for options in found}) > 1:
        raise Invalid("All variants of a product have the same options.", field=("variants",))
    return tuple(found.values())


def checked_variant(draft: VariantDraft, field: Field) -> VariantDraft:
    if not 0 <= draft.weight_grams <= read.WHOLE_LIMIT:
        raise Invalid(f"A weight is between 0 and {read.WHOLE_LIMIT:,} g.", field=(*field, "weight_grams"))
    for index, price in enumerate(draft.prices.values()):
        check_price(price, (*field, "prices", index))
    return replace(
        draft,
        options=options(draft.options, (*field, "options")),
        sku=within(draft.sku or "", (*field, "sku")) or None,
        barcode=within(draft.barcode or "", (*field, "barcode")) or None,
        picture_url=meant(draft.picture_url, read.address, (*field, "picture_url"))
        if draft.picture_url
        else None,
    )


def options(given: tuple[tuple[str, str], ...], field: Field) -> tuple[tuple[str, str], ...]:
    if len(given) > OPTIONS:
        raise LimitReached(f"A variant has at most {OPTIONS} options.", field=field)
    told = tuple(
        (named(name, (*field, index, "name")), named(value, (*field, index, "value")))
        for index, (name, value) in enumerate(given)
    )
    if len({name for name, _ in told}) < len(told):
        raise Invalid("Two options have the same name.", field=field)
    return told


def check_price(price: PriceDraft, field: Field) -> None:
    for name, amount in (("price", price.amount), ("compare_at", price.compare_at)):
        if amount is not None and not 0 <= amount.minor <= MINOR_LIMIT:
            raise Invalid("A price is neither negative nor that high.", field=(*field, name))

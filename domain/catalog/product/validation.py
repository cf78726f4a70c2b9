"""Validating drafts that come from forms, with the limits of files; refusals name the field."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from domain.catalog.limits import (
    LANGUAGE_LIMIT,
    NAME_LIMIT,
    OPTION_LIMIT,
    PICTURE_LIMIT,
    PRICE_LIMIT,
    SEO_LIMIT,
    TAG_LIMIT,
    VARIANT_LIMIT,
    WHOLE_NUMBER_LIMIT,
)
from domain.catalog.problems import WrongText
from domain.catalog.product.drafts import PictureDraft, PriceDraft, ProductDraft, VariantDraft
from domain.catalog.product.parsing import parse_picture_url, parse_slug
from domain.catalog.product.text_fields import (
    PRODUCT_TEXTS,
    TRANSLATED_TEXTS,
    VARIANT_TEXTS,
    TextField,
    product_texts_of,
    variant_texts_of,
    with_product_texts,
    with_variant_texts,
)
from domain.errors import Invalid, LimitReached, Taken
from domain.visible_text import visible_text

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

FieldPath = tuple[str | int, ...]
T = TypeVar("T")


def validate_product(draft: ProductDraft) -> ProductDraft:
    """The draft as it is saved: texts trimmed, HTML cleaned. Invalid names the field that is wrong."""
    texts = {
        name: validate_text(PRODUCT_TEXTS[name], text, (name,))
        for name, text in product_texts_of(draft).items()
    }
    return replace(
        with_product_texts(draft, texts),
        slug=parse_field(require_text(draft.slug, ("slug",)), parse_slug, ("slug",)),
        tags=validate_tags(draft.tags),
        translations=dict(validate_translations(draft.translations)),
        attributes=trim_attributes(draft.attributes),
        pictures=validate_pictures(draft.pictures),
        variants=validate_variants(draft.variants),
    )


def validate_text(text: TextField, value: str, field: FieldPath) -> str:
    """The value of a text field as it is saved."""
    if text.required:
        value = require_text(value, field)
    return parse_field(value if text.html else visible_text(value), text.parse, field)


def require_text(text: str, field: FieldPath) -> str:
    """`text` without unseen characters; Invalid when nothing is left."""
    if not (left := visible_text(text)):
        raise Invalid("This cannot be empty.", field=field)
    return left


def require_name(text: str, field: FieldPath) -> str:
    return limit_text(require_text(text, field), field)


def limit_text(text: str, field: FieldPath, *, limit: int = NAME_LIMIT) -> str:
    """`text` without unseen characters; Invalid when it has more than `limit` characters."""
    left = visible_text(text)
    if len(left) > limit:
        raise Invalid(
            "This has {length} characters; at most {limit} are taken.",
            length=len(left),
            limit=limit,
            field=field,
        )
    return left


def parse_field(text: str, parse: Callable[[str], T], field: FieldPath) -> T:
    """What `parse` returns for a text; its WrongText becomes Invalid."""
    try:
        return parse(text)
    except WrongText as wrong:
        template = "This {reason}." if str(wrong).startswith("has ") else "{reason}."
        raise Invalid(template, reason=wrong.message, field=field) from None


def validate_tags(tags: Sequence[str]) -> tuple[str, ...]:
    if len(tags) > TAG_LIMIT:
        raise LimitReached("A product has at most {limit} tags.", limit=TAG_LIMIT, field=("tags",))
    return tuple(dict.fromkeys(require_name(tag, ("tags", index)) for index, tag in enumerate(tags)))


def validate_translations(
    translations: Mapping[str, Mapping[str, str]],
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each language with its texts, blank ones left out."""
    if len(translations) > LANGUAGE_LIMIT:
        raise LimitReached(
            "A product speaks at most {limit} languages.", limit=LANGUAGE_LIMIT, field=("translations",)
        )
    for index, (language, given) in enumerate(translations.items()):
        field = ("translations", index)
        texts = {
            name: parse_field(
                given.get(name, "") if text.html else visible_text(given.get(name, "")),
                text.parse,
                (*field, name),
            )
            for name, text in TRANSLATED_TEXTS.items()
        }
        if not LANGUAGE_TAG.fullmatch(language):
            raise Invalid('A language is a tag such as "en" or "zh-CN".', field=(*field, "language"))
        if any(texts.values()):
            yield language, {name: text for name, text in texts.items() if text}


def trim_attributes(attributes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The attributes by code, blank values and attributes without a value left out."""
    trimmed = {code: tuple(filter(None, map(visible_text, values))) for code, values in attributes.items()}
    return {code: values for code, values in trimmed.items() if values}


def validate_pictures(pictures: Sequence[PictureDraft]) -> tuple[PictureDraft, ...]:
    if len(pictures) > PICTURE_LIMIT:
        raise LimitReached(
            "A product has at most {limit} pictures.", limit=PICTURE_LIMIT, field=("pictures",)
        )
    return tuple(
        PictureDraft(
            parse_field(picture.url.strip(), parse_picture_url, ("pictures", index, "url")),
            limit_text(picture.alt, ("pictures", index, "alt"), limit=SEO_LIMIT),
            index + 1,
        )
        for index, picture in enumerate(pictures)
    )


def validate_variants(variants: Sequence[VariantDraft]) -> tuple[VariantDraft, ...]:
    """The variants, which must have the same options with different values."""
    if len(variants) > VARIANT_LIMIT:
        raise LimitReached(
            "A product has at most {limit} variants.", limit=VARIANT_LIMIT, field=("variants",)
        )
    found: dict[tuple[tuple[str, str], ...], VariantDraft] = {}
    for index, draft in enumerate(variants):
        variant = validate_variant(draft, ("variants", index))
        if variant.options in found:
            raise Taken("Two variants have the same options.", field=("variants", index, "options"))
        found[variant.options] = variant
    if len({tuple(name for name, _ in options) for options in found}) > 1:
        raise Invalid("All variants of a product have the same options.", field=("variants",))
    return tuple(found.values())


def validate_variant(draft: VariantDraft, field: FieldPath) -> VariantDraft:
    if not 0 <= draft.weight_grams <= WHOLE_NUMBER_LIMIT:
        raise Invalid(
            "A weight is between 0 and {limit} g.", limit=WHOLE_NUMBER_LIMIT, field=(*field, "weight_grams")
        )
    for index, price in enumerate(draft.prices.values()):
        validate_price(price, (*field, "prices", index))
    options = validate_options(draft.options, (*field, "options"))
    texts = {
        name: validate_text(VARIANT_TEXTS[name], text or "", (*field, name))
        for name, text in variant_texts_of(draft).items()
    }
    url = draft.picture_url
    return replace(
        with_variant_texts(draft, texts),
        options=options,
        picture_url=parse_field(url, parse_picture_url, (*field, "picture_url")) if url else None,
    )


def validate_options(options: tuple[tuple[str, str], ...], field: FieldPath) -> tuple[tuple[str, str], ...]:
    if len(options) > OPTION_LIMIT:
        raise LimitReached("A variant has at most {limit} options.", limit=OPTION_LIMIT, field=field)
    validated = tuple(
        (require_name(name, (*field, index, "name")), require_name(value, (*field, index, "value")))
        for index, (name, value) in enumerate(options)
    )
    if len({name for name, _ in validated}) < len(validated):
        raise Invalid("Two options have the same name.", field=field)
    return validated


def validate_price(price: PriceDraft, field: FieldPath) -> None:
    for name, amount in (("price", price.amount), ("compare_at", price.compare_at)):
        if amount is not None and not 0 <= amount.minor <= PRICE_LIMIT:
            raise Invalid("A price is neither negative nor that high.", field=(*field, name))

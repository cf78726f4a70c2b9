"""Validating drafts that come from forms, with the limits of files; refusals name the field."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, replace
from typing import TypeVar

from domain.catalog.limits import (
    LANGUAGE_LIMIT,
    NAME_LIMIT,
    OPTION_LIMIT,
    PICTURE_LIMIT,
    PRICE_LIMIT,
    SEO_LIMIT,
    SIDE_LIMIT_MM,
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
from domain.errors import Invalid, LimitReached, RefusalCollector, Taken, collect_refusals
from domain.visible_text import visible_text

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

FieldPath = tuple[str | int, ...]
T = TypeVar("T")


def validate_product(draft: ProductDraft, check: RefusalCollector) -> ProductDraft:
    """The draft as it is saved, but for its slug: texts trimmed, HTML cleaned.

    What is wrong is refused, and left empty.
    """
    texts = {
        name: check.value(validate_text, "", PRODUCT_TEXTS[name], text, (name,))
        for name, text in product_texts_of(draft).items()
    }
    return replace(
        with_product_texts(draft, texts),
        tags=check.value(validate_tags, (), draft.tags),
        translations=check.value(validate_translations, {}, draft.translations),
        attributes=trim_attributes(draft.attributes),
        pictures=check.value(validate_pictures, (), draft.pictures),
        variants=validate_variants(draft.variants, check),
    )


def validate_slug(slug: str) -> str:
    return parse_field(require_text(slug, ("slug",)), parse_slug, ("slug",))


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
    with collect_refusals() as check:
        names = [check.value(require_name, "", tag, ("tags", index)) for index, tag in enumerate(tags)]
    return tuple(dict.fromkeys(names))


def validate_translations(translations: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Each language with its texts, blank ones left out."""
    check_language_count(translations, ("translations",))
    validated: dict[str, dict[str, str]] = {}
    with collect_refusals() as check:
        for index, (language, given) in enumerate(translations.items()):
            field = ("translations", index)
            if not LANGUAGE_TAG.fullmatch(language):
                check.add(Invalid('A language is a tag such as "en" or "zh-CN".', field=(*field, "language")))
            texts = {
                name: check.value(validate_translation, "", text, given.get(name, ""), (*field, name))
                for name, text in TRANSLATED_TEXTS.items()
            }
            if any(texts.values()):
                validated[language] = {name: text for name, text in texts.items() if text}
    return validated


def validate_translation(text: TextField, value: str, field: FieldPath) -> str:
    return parse_field(value if text.html else visible_text(value), text.parse, field)


def trim_attributes(attributes: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The attributes by code, blank values and attributes without a value left out."""
    trimmed = {code: tuple(filter(None, map(visible_text, values))) for code, values in attributes.items()}
    return {code: values for code, values in trimmed.items() if values}


def validate_pictures(pictures: Sequence[PictureDraft]) -> tuple[PictureDraft, ...]:
    if len(pictures) > PICTURE_LIMIT:
        raise LimitReached(
            "A product has at most {limit} pictures.", limit=PICTURE_LIMIT, field=("pictures",)
        )
    validated = []
    with collect_refusals() as check:
        for index, picture in enumerate(pictures):
            with check:
                validated.append(validate_picture(picture, ("pictures", index), index + 1))
    return tuple(validated)


def validate_picture(picture: PictureDraft, field: FieldPath, position: int) -> PictureDraft:
    with collect_refusals() as check:
        url = check.value(parse_field, "", picture.url.strip(), parse_picture_url, (*field, "url"))
        alt = check.value(limit_text, "", picture.alt, (*field, "alt"), limit=SEO_LIMIT)
        translations: dict[str, str] = {}
        check_language_count(picture.translations, (*field, "translations"))
        for language, text in picture.translations.items():
            with check:
                check_language(language, (*field, "translations"))
            if own := check.value(limit_text, "", text, (*field, "translations"), limit=SEO_LIMIT):
                translations[language] = own
    return PictureDraft(url, alt, position, translations)


def validate_variants(variants: Sequence[VariantDraft], check: RefusalCollector) -> tuple[VariantDraft, ...]:
    """The variants, which must have the same options with different values."""
    if len(variants) > VARIANT_LIMIT:
        check.add(
            LimitReached("A product has at most {limit} variants.", limit=VARIANT_LIMIT, field=("variants",))
        )
        return ()
    validated: list[VariantDraft] = []
    found: set[tuple[tuple[str, str], ...]] = set()
    for index, draft in enumerate(variants):
        refused = len(check.found)
        variant = validate_variant(draft, ("variants", index), check)
        validated.append(variant)
        if len(check.found) > refused:
            continue
        if variant.options in found:
            check.add(Taken("Two variants have the same options.", field=("variants", index, "options")))
        found.add(variant.options)
    if len({tuple(name for name, _ in options) for options in found}) > 1:
        check.add(Invalid("All variants of a product have the same options.", field=("variants",)))
    return tuple(validated)


def validate_variant(draft: VariantDraft, field: FieldPath, check: RefusalCollector) -> VariantDraft:
    """The variant as it is saved; what is wrong is refused, and left empty."""
    url, texts = draft.picture_url, variant_texts_of(draft)
    if not 0 <= draft.weight_grams <= WHOLE_NUMBER_LIMIT:
        limit, weight_field = WHOLE_NUMBER_LIMIT, (*field, "weight_grams")
        check.add(Invalid("A weight is between 0 and {limit} g.", limit=limit, field=weight_field))
    if draft.size and not all(1 <= side <= SIDE_LIMIT_MM for side in astuple(draft.size)):
        size_field = (*field, "size")
        check.add(Invalid("A side is 1 to {limit} mm.", limit=SIDE_LIMIT_MM, field=size_field))
    for index, price in enumerate(draft.prices.values()):
        with check:
            validate_price(price, (*field, "prices", index))
    options = check.value(validate_options, (), draft.options, (*field, "options"))
    translations = check.value(validate_option_translations, {}, draft, field)
    valid_texts = {
        name: check.value(validate_text, "", VARIANT_TEXTS[name], text or "", (*field, name))
        for name, text in texts.items()
    }
    if url:
        url = check.value(parse_field, "", url, parse_picture_url, (*field, "picture_url"))
    return replace(
        with_variant_texts(draft, valid_texts),
        options=options,
        option_translations=translations,
        picture_url=url or None,
    )


def validate_option_translations(
    draft: VariantDraft, field: FieldPath
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Names and values of the options by language, languages without any text left out."""
    check_language_count(draft.option_translations, (*field, "options"))
    validated: dict[str, tuple[tuple[str, str], ...]] = {}
    with collect_refusals() as check:
        for language, pairs in draft.option_translations.items():
            with check:
                check_language(language, (*field, "options"))
            texts = []
            for index, (name, value) in enumerate(pairs):
                own = (*field, "options", index, "translations")
                known = check.value(limit_text, "", name, own)
                texts.append((known, check.value(limit_text, "", value, own)))
            if any(name or value for name, value in texts):
                validated[language] = tuple(texts)
    return validated


def check_language(language: str, field: FieldPath) -> None:
    if not LANGUAGE_TAG.fullmatch(language):
        raise Invalid('A language is a tag such as "en" or "zh-CN".', field=field)


def check_language_count(translations: Collection[str], field: FieldPath) -> None:
    if len(translations) > LANGUAGE_LIMIT:
        raise LimitReached("A product speaks at most {limit} languages.", limit=LANGUAGE_LIMIT, field=field)


def validate_options(options: tuple[tuple[str, str], ...], field: FieldPath) -> tuple[tuple[str, str], ...]:
    if len(options) > OPTION_LIMIT:
        raise LimitReached("A variant has at most {limit} options.", limit=OPTION_LIMIT, field=field)
    validated = []
    with collect_refusals() as check:
        for index, (name, value) in enumerate(options):
            own = (*field, index)
            known = check.value(require_name, "", name, (*own, "name"))
            shown = check.value(require_name, "", value, (*own, "value"))
            validated.append((known, shown))
    if len({name for name, _ in validated}) < len(validated):
        raise Invalid("Two options have the same name.", field=field)
    return tuple(validated)


def validate_price(price: PriceDraft, field: FieldPath) -> None:
    with collect_refusals() as check:
        for name, amount in (("price", price.amount), ("compare_at", price.compare_at)):
            if amount is not None and not 0 <= amount.minor <= PRICE_LIMIT:
                check.add(Invalid("A price is neither negative nor that high.", field=(*field, name)))

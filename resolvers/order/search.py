"""What a client searches orders by, as criteria for the database; wrong values are refused by field."""

import re
from collections.abc import Sequence
from dataclasses import replace

from domain.contact import normalize_email, normalize_phone
from domain.errors import Invalid, LimitReached
from loaders.order import PHONE_TAIL_DIGITS, OrderCriteria, find_accounts, find_products
from resolvers.context import Info
from resolvers.guard import Permission
from resolvers.ids import row_id
from resolvers.inputs.order import OrderFilter

TERMS_LIMIT = 10
TEXT_LIMIT = 200
"""Words and characters of one search."""

PHONE_LIMIT = 15
PHONE_PUNCTUATION = re.compile(r"[\s()+.-]")
NUMBER = re.compile(r"(?=.*[0-9])[A-Z][A-Z0-9]*", re.ASCII)
"""What may be the beginning of an order's number: a letter, then letters and digits, at least one digit."""

Field = tuple[str | int, ...]


async def order_criteria(info: Info, filters: OrderFilter, query: str | None) -> OrderCriteria:
    """The criteria for the viewer's own orders, or for all orders where staff ask."""
    viewer = info.context.viewer
    product_id, variant_id = filters.product_id, filters.variant_id
    criteria = OrderCriteria(
        account_ids=None if viewer.may(Permission.ORDER_VIEW_ALL) else [viewer.id],
        status=filters.status,
        payment_status=filters.payment_status,
        fulfilment_status=filters.fulfilment_status,
        display_status=filters.display_status,
        number=None if filters.number is None else filters.number.strip().upper(),
        phone=None if filters.phone is None else phone_digits(filters.phone, ("filter", "phone")),
        product_ids=[row_id(product_id, "Product", field=("filter", "product_id"))] if product_id else None,
        variant_id=row_id(variant_id, "Variant", field=("filter", "variant_id")) if variant_id else None,
        placed_from=filters.placed_from,
        placed_before=filters.placed_before,
    )
    if filters.query is not None:
        criteria = await with_products(info, criteria, filters.query, ("filter", "query"))
    if filters.customer is not None:
        criteria = await with_customer(info, criteria, filters.customer, ("filter", "customer"))
    return criteria if query is None else await with_query(info, criteria, query)


async def with_query(info: Info, criteria: OrderCriteria, query: str) -> OrderCriteria:
    """With what the query looks like: an e-mail address, part of a phone number or order number, or words."""
    field = ("query",)
    text = check_text(query, field)
    digits = PHONE_PUNCTUATION.sub("", text)
    if "@" in text and info.context.viewer.may(Permission.ORDER_VIEW_ALL):
        return await with_customer(info, criteria, text, field)
    if digits.isascii() and digits.isdigit():
        return narrow_criteria(criteria, field, phone=phone_digits(text, field))
    # a SKU can look like the beginning of an order's number
    if NUMBER.fullmatch(text.upper()) and not await matches_products(info, text):
        return narrow_criteria(criteria, field, number=text.upper())
    return await with_products(info, criteria, text, field)


async def matches_products(info: Info, text: str) -> bool:
    """Whether any product has this SKU or these words."""
    return bool(await product_ids(info, text))


async def product_ids(info: Info, text: str) -> Sequence[int]:
    """The products with this SKU or these words, those included that were changed a moment ago."""
    index = await info.context.shop.product_index.ready(newest=True)
    async with info.context.shop.database.reads() as session:
        return await find_products(index, session, text)


async def with_products(info: Info, criteria: OrderCriteria, query: str, field: Field) -> OrderCriteria:
    """With products that match; for customers, with lines whose titles match."""
    text = check_text(query, field)
    if not info.context.viewer.may(Permission.ORDER_VIEW_ALL):
        return narrow_criteria(criteria, field, title=text.split())
    return narrow_criteria(criteria, field, product_ids=await product_ids(info, text))


async def with_customer(info: Info, criteria: OrderCriteria, customer: str, field: Field) -> OrderCriteria:
    """With accounts that have this e-mail address, phone number or name; for staff only."""
    if not info.context.viewer.may(Permission.ORDER_VIEW_ALL):
        raise Invalid("Only the staff look for orders of others.", field=field)
    text = check_text(customer, field)
    email = normalize_email(text, field=field) if "@" in text else None
    phone = None if email else phone_or_none(text)
    name = None if email or phone else text
    async with info.context.shop.database.reads() as session:
        account_ids = await find_accounts(session, email=email, phone=phone, name=name)
    return narrow_criteria(criteria, field, account_ids=account_ids)


def narrow_criteria(criteria: OrderCriteria, field: Field, **more: object) -> OrderCriteria:
    """One condition more; Invalid where there is one of its kind already."""
    for name in more:
        if getattr(criteria, name):
            raise Invalid("This is asked for twice, in two ways.", field=field)
    return replace(criteria, **more)  # type: ignore[arg-type]


def check_text(text: str, field: Field) -> str:
    """The text with single spaces; refused where it is empty or too long."""
    text = " ".join(text.split())
    if not text:
        raise Invalid("Say what to look for.", field=field)
    if len(text) > TEXT_LIMIT or len(text.split()) > TERMS_LIMIT:
        raise LimitReached(
            "At most {words} words and {limit} characters.",
            words=TERMS_LIMIT,
            limit=TEXT_LIMIT,
            field=field,
        )
    return text


def phone_digits(text: str, field: Field) -> str:
    """The last digits of a phone number, without punctuation."""
    digits = PHONE_PUNCTUATION.sub("", text)
    if not (digits.isascii() and digits.isdigit() and PHONE_TAIL_DIGITS <= len(digits) <= PHONE_LIMIT):
        raise Invalid(
            "Give the last {least} to {limit} digits of the number.",
            least=PHONE_TAIL_DIGITS,
            limit=PHONE_LIMIT,
            field=field,
        )
    return digits


def phone_or_none(text: str) -> str | None:
    """The phone number in E.164; None where the text is not one."""
    try:
        return normalize_phone(text)
    except Invalid:
        return None

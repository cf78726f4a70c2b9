"""What somebody asks orders by, made into what the database is asked; refused by the name of the field."""

import re
from dataclasses import replace

from domain.contact import email_of, phone_of
from domain.errors import Invalid, LimitReached
from loaders.order import PHONE_TAIL_DIGITS, OrdersWanted, accounts_called, products_called
from resolvers.context import Info
from resolvers.ids import row_id
from resolvers.inputs.order import OrderFilter

WORDS_LIMIT = 10
TEXT_LIMIT = 200
"""Characters of one search."""

PHONE_LIMIT = 15
SPACING = re.compile(r"[\s()+.-]")
NUMBER = re.compile(r"(?=.*[0-9])[A-Z][A-Z0-9]*", re.ASCII)
"""What looks like the beginning of an order's number: a letter, and digits somewhere."""

Field = tuple[str | int, ...]


async def orders_asked(info: Info, asked: OrderFilter, search: str | None) -> OrdersWanted:
    """Of the viewer's own orders, or of all for the staff."""
    viewer = info.context.viewer
    wanted = OrdersWanted(
        account_ids=None if viewer.is_staff else [viewer.id],
        status=asked.status,
        payment_status=asked.payment_status,
        fulfilment_status=asked.fulfilment_status,
        headline=asked.headline,
        number=None if asked.number is None else asked.number.strip().upper(),
        phone=None if asked.phone is None else phone_tail(asked.phone, ("filter", "phone")),
        product_ids=[row_id(asked.product_id, "Product", field=("filter", "product_id"))]
        if asked.product_id
        else None,
        variant_id=row_id(asked.variant_id, "Variant", field=("filter", "variant_id"))
        if asked.variant_id
        else None,
        placed_from=asked.placed_from,
        placed_before=asked.placed_before,
    )
    if asked.words is not None:
        wanted = await with_words(info, wanted, asked.words, ("filter", "words"))
    if asked.customer is not None:
        wanted = await of_customer(info, wanted, asked.customer, ("filter", "customer"))
    return wanted if search is None else await searched(info, wanted, search)


async def searched(info: Info, wanted: OrdersWanted, search: str) -> OrdersWanted:
    """One box for all: an e-mail address, the end of a phone number, the beginning of a number, or words."""
    field = ("search",)
    text = checked(search, field)
    digits = SPACING.sub("", text)
    if "@" in text and info.context.viewer.is_staff:
        return await of_customer(info, wanted, text, field)
    if digits.isascii() and digits.isdigit():
        return narrowed(wanted, field, phone=phone_tail(text, field))
    if NUMBER.fullmatch(text.upper()) and not await known_words(info, text):
        return narrowed(wanted, field, number=text.upper())
    return await with_words(info, wanted, text, field)


async def known_words(info: Info, text: str) -> bool:
    """Whether something the shop sells is called so: a SKU can look like an order's number."""
    async with info.context.shop.database.reads() as session:
        return bool(await products_called(session, text))


async def with_words(info: Info, wanted: OrdersWanted, given: str, field: Field) -> OrdersWanted:
    text = checked(given, field)
    if not info.context.viewer.is_staff:
        return narrowed(wanted, field, title=text.split())
    async with info.context.shop.database.reads() as session:
        return narrowed(wanted, field, product_ids=await products_called(session, text))


async def of_customer(info: Info, wanted: OrdersWanted, given: str, field: Field) -> OrdersWanted:
    if not info.context.viewer.is_staff:
        raise Invalid("Only the staff look for orders of others.", field=field)
    text = checked(given, field)
    email = email_of(text, field=field) if "@" in text else None
    phone = None if email else phone_or_none(text)
    name = None if email or phone else text
    async with info.context.shop.database.reads() as session:
        found = await accounts_called(session, email=email, phone=phone, name=name)
    return narrowed(wanted, field, account_ids=found)


def narrowed(wanted: OrdersWanted, field: Field, **more: object) -> OrdersWanted:
    """One condition more; asking for the same thing in two ways is refused, not guessed at."""
    for name in more:
        if getattr(wanted, name):
            raise Invalid("This is asked for twice, in two ways.", field=field)
    return replace(wanted, **more)  # type: ignore[arg-type]


def checked(given: str, field: Field) -> str:
    text = " ".join(given.split())
    if not text:
        raise Invalid("Say what to look for.", field=field)
    if len(text) > TEXT_LIMIT or len(text.split()) > WORDS_LIMIT:
        raise LimitReached(f"At most {WORDS_LIMIT} words and {TEXT_LIMIT} characters.", field=field)
    return text


def phone_tail(given: str, field: Field) -> str:
    digits = SPACING.sub("", given)
    if not (digits.isascii() and digits.isdigit() and PHONE_TAIL_DIGITS <= len(digits) <= PHONE_LIMIT):
        raise Invalid(
            f"Give the last {PHONE_TAIL_DIGITS} to {PHONE_LIMIT} digits of the number.", field=field
        )
    return digits


def phone_or_none(text: str) -> str | None:
    try:
        return phone_of(text)
    except Invalid:
        return None

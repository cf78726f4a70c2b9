"""Every text of every argument comes in by one place: its spelling, and what nobody may send."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import normalize_email
from domain.incoming_text import normalize_incoming_text
from models import GRANTS, Account, Event, Role
from schema.incoming_text import PASSWORDS, UNCHANGED
from tests.api.guard.fields import FIELDS, REQUIRED, SCHEMA
from tests.clients import Client, Clients
from tests.documents import argument_paths, write_document
from tests.factories.account import PASSWORD, create_account

HOSTILE = r'"tea\u202epot"'
REASON = "This character is not taken: U+202E RIGHT-TO-LEFT OVERRIDE."

STRINGS = [
    (keyword, name, path)
    for keyword, name in FIELDS
    for path in argument_paths(SCHEMA, keyword, name, "String")
]
TEXTS = [each for each in STRINGS if each[2].split(".")[-1] not in PASSWORDS | UNCHANGED]

ADDRESS_SAVE = """
mutation ($input: AddressSaveInput!) {
  addressSave(input: $input) { address { recipient line1 line2 } userErrors { code field message } }
}
"""
SIGN_IN = """
mutation ($input: SessionCreateInput!) {
  sessionCreate(input: $input) { session { account { id } } userErrors { code field } }
}
"""
POSTAL = {
    "recipient": "林晓雨",
    "phone": "13800138000",
    "countryCode": "CN",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "line1": "文三路 1 号",
}


def refused_paths(reply: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Code, message and path of each refusal, without the places within lists."""
    (payload,) = (reply["data"] or {"": None}).values()
    found = (payload or {}).get("userErrors") or [
        {"message": error["message"], **error["extensions"]} for error in reply["errors"]
    ]
    return [
        (each["code"], each["message"], tuple(part for part in each["field"] if not part.isdigit()))
        for each in found
    ]


async def test_no_argument_takes_a_text_that_changes_what_others_read(
    clients: Clients, session: AsyncSession
) -> None:
    members: dict[Role, Client] = {Role.GUEST: clients.guest()}
    for role in (Role.CUSTOMER, Role.COURIER, Role.ADMIN):
        members[role] = await clients.staff(role)
    accounts = await session.scalar(select(func.count()).select_from(Account))

    for keyword, name, path in TEXTS:
        member = next(members[role] for role in members if REQUIRED[keyword][name] in GRANTS[role])
        reply = await member.ask(write_document(SCHEMA, keyword, name, {path: HOSTILE}))

        expected = tuple(part for part in path.split(".") if part != "input")
        assert refused_paths(reply) == [("INVALID", REASON, expected)], (keyword, name, path)

    assert await session.scalar(select(func.count()).select_from(Account)) == accounts
    assert await session.scalar(select(func.count()).select_from(Event)) == 0


def test_only_arguments_that_exist_are_excepted() -> None:
    assert {path.split(".")[-1] for _, _, path in STRINGS} >= PASSWORDS | UNCHANGED


async def test_whoever_may_not_use_a_field_learns_only_that(clients: Clients) -> None:
    reply = await clients.guest().ask(
        write_document(SCHEMA, "mutation", "articleSave", {"input.title": HOSTILE})
    )

    assert [error["code"] for error in reply["data"]["articleSave"]["userErrors"]] == ["UNAUTHENTICATED"]


async def test_a_form_learns_all_refused_texts_at_once_and_nothing_is_saved(clients: Clients) -> None:
    customer = await clients.customer()
    hostile = POSTAL | {"recipient": "林\u202e晓雨", "line1": "文三路\x07", "line2": "x" + "\u0301" * 10_000}

    payload = await customer.do(ADDRESS_SAVE, address=hostile)

    assert payload["address"] is None
    assert payload["userErrors"] == [
        {"code": "INVALID", "field": ["address", "recipient"], "message": REASON},
        {
            "code": "INVALID",
            "field": ["address", "line1"],
            "message": "This character is not taken: U+0007.",
        },
        {
            "code": "INVALID",
            "field": ["address", "line2"],
            "message": "At most 4 marks stand on one character.",
        },
    ]


async def test_a_text_is_stored_in_one_spelling_without_what_nobody_sees(clients: Clients) -> None:
    customer = await clients.customer()
    written = POSTAL | {
        "recipient": "Zoe\u0308 \ufeffLin",
        "line2": "\u200b\u3164",
        "line1": "Cafe\u0301 👩\u200d🍳",
    }

    saved = (await customer.do(ADDRESS_SAVE, address=written))["address"]

    assert (saved["recipient"], saved["line1"], saved["line2"]) == ("Zoë Lin", "Café 👩\u200d🍳", "")
    nothing = await customer.do(ADDRESS_SAVE, address=POSTAL | {"line1": "\u200b"})
    assert [error["field"] for error in nothing["userErrors"]] == [["address", "line1"]]


async def test_two_spellings_of_an_email_address_are_one_account(
    clients: Clients, session: AsyncSession
) -> None:
    account = await create_account(session, email=normalize_email("zoë@bücher.example"))
    await session.commit()

    for login in ("zoe\u0308@bu\u0308cher.example", "ZOË@xn--bcher-kva.EXAMPLE", "zoë＠bücher.example"):
        payload = await clients.guest().do(SIGN_IN, login=login, password=PASSWORD)
        assert payload["userErrors"] == []
    assert account.email == "zoë@xn--bcher-kva.example"
    look_alike = await clients.guest().do(SIGN_IN, login="zоë@bücher.example", password=PASSWORD)
    assert [error["code"] for error in look_alike["userErrors"]] == ["CREDENTIALS_REFUSED"]


def test_what_was_taken_once_is_taken_again() -> None:
    assert normalize_incoming_text(normalize_incoming_text("e\u0301 \u200b👩\u200d🍳")) == "é 👩\u200d🍳"

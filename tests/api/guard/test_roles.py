"""Who may what: every field of every root, asked by every role."""

import pytest
import strawberry

from gateways.secrets import fingerprint_of
from models import GRANTS, Permission, Role
from resolvers import account as resolve
from schema import refuse_unguarded
from schema.rows import field as schema_field
from tests.api.guard.fields import FIELDS, REQUIRED, SCHEMA, error_codes, first_answer
from tests.clients import Client, Clients
from tests.documents import write_document
from tests.factories.cart import create_cart
from tests.factories.token import new_cart_token

REFUSED = {"UNAUTHENTICATED", "FORBIDDEN"}

SIGNED_IN = "PUBLIC ACCOUNT_EDIT MEDIA_UPLOAD ORDER_VIEW SECOND_FACTOR"
OF_ONE_ORDER = (
    "PUBLIC BUY MEDIA_UPLOAD ORDER_CHANGE ORDER_DETAILS ORDER_VIEW SHIPMENT_VIEW "
    "TICKET_OPEN TICKET_TAKE_PART TICKET_VIEW"
)
EMPLOYEE = f"{SIGNED_IN} ARTICLE_VIEW CATALOG_VIEW LOGISTICS_VIEW STOCK_VIEW TRAINING_TAKE"
OFFICE = (
    f"{EMPLOYEE} CONTACT_VIEW MEDIA_VIEW ORDER_DETAILS ORDER_NOTE ORDER_VIEW_ALL STAFF_VIEW "
    "TICKET_VIEW_INTERNAL WORK_VIEW"
)
DELIVERY = "CASH_COLLECT DELIVERY_RUN_VIEW SHIPMENT_TRACK SHIPMENT_VIEW"

RIGHTS = {
    Role.GUEST: "PUBLIC CART ORDER_PLACE",
    Role.GUEST_BUYER: OF_ONE_ORDER,
    Role.CUSTOMER: f"{SIGNED_IN} {OF_ONE_ORDER} ADDRESS_EDIT CART ORDER_PLACE QUESTION_ASK STORE_CREDIT",
    Role.CATALOGUE: f"{EMPLOYEE} ANALYTICS_VIEW CATALOG_EDIT PROMOTION_EDIT STOCK_WATCH TRAINING_EDIT",
    Role.WAREHOUSE: f"{OFFICE} {DELIVERY} CASH_RECEIVE DELIVERY_RUN_PLAN ORDER_HOLD RETURN_RECEIVE "
    "SHIPMENT_LIST SHIPMENT_PACK SHIPPING_EDIT STOCK_EDIT "
    "STOCK_WATCH TICKET_VIEW TICKET_VIEW_ALL",
    Role.COURIER: f"{SIGNED_IN} {DELIVERY} DELIVERY_RUN_DRIVE TRAINING_TAKE",
    Role.SUPPORT: f"{OFFICE} ACCOUNT_VIEW ADDRESS_EDIT ARTICLE_EDIT CUSTOMER_SERVE CUSTOMER_VIEW "
    "ORDER_CHANGE ORDER_HOLD ORDER_PLACE QUESTION_ASK REFUND RETURN_RECEIVE SHIPMENT_LIST SHIPMENT_VIEW "
    "TICKET_HANDLE TICKET_OPEN TICKET_TAKE_PART TICKET_VIEW TICKET_VIEW_ALL",
}
NOT_OF_MANAGERS = {"BUY", "CART", "DELIVERY_RUN_DRIVE", "STAFF_MANAGE", "STORE_CREDIT"}


def test_the_table_names_every_field_and_no_other() -> None:
    assert {(keyword, name) for keyword, fields in REQUIRED.items() for name in fields} == set(FIELDS)


@pytest.mark.parametrize("role", list(RIGHTS))
def test_a_role_has_its_rights_and_no_others(role: Role) -> None:
    assert GRANTS[role] == {Permission[name] for name in RIGHTS[role].split()}


def test_a_manager_may_what_any_of_the_staff_may_but_drive_and_an_admin_manages_the_staff_too() -> None:
    assert set(Permission) - GRANTS[Role.MANAGER] == NOT_OF_MANAGERS
    assert GRANTS[Role.ADMIN] - GRANTS[Role.MANAGER] == {Permission.STAFF_MANAGE}


def test_a_root_field_that_names_no_permission_is_refused_at_start() -> None:
    @strawberry.type
    class Careless:
        viewer: int = schema_field(resolve.viewer)

    with pytest.raises(TypeError, match=r"Careless\.viewer names no permission"):
        refuse_unguarded(Careless)


@pytest.mark.parametrize("role", list(Role))
async def test_every_field_answers_those_who_may_and_refuses_those_who_may_not(
    clients: Clients, role: Role
) -> None:
    client = await guest_with_cart(clients) if role is Role.GUEST else await clients.staff(role)
    found = {
        (keyword, name): await refusal_of(client, keyword, name)
        for keyword, name in FIELDS
        if keyword != "subscription"
    }
    found |= await refusals_of_subscriptions(client)

    refusal = "UNAUTHENTICATED" if role is Role.GUEST else "FORBIDDEN"
    assert found == {
        (keyword, name): None if REQUIRED[keyword][name] in GRANTS[role] else refusal
        for keyword, name in FIELDS
    }


async def guest_with_cart(clients: Clients) -> Client:
    """A guest known by a cart."""
    token = new_cart_token(clients.shop)
    async with clients.shop.database.writes.begin() as session:
        await create_cart(session, token_hash=fingerprint_of(token))
    return clients.guest(**{"X-Cart-Token": token})


async def refusal_of(client: Client, keyword: str, name: str) -> str | None:
    """The code with which the guard refuses a field, None where it does not; nothing may break."""
    given = error_codes(await client.ask(write_document(SCHEMA, keyword, name)))
    assert "INTERNAL" not in given, name
    return next((code for code in given if code in REFUSED), None)


async def refusals_of_subscriptions(client: Client) -> dict[tuple[str, str], str | None]:
    return {
        (keyword, name): next(
            (
                code
                for code in error_codes(await first_answer(client, write_document(SCHEMA, keyword, name)))
                if code in REFUSED
            ),
            None,
        )
        for keyword, name in FIELDS
        if keyword == "subscription"
    }

"""Who may what: every field of every root, asked by everybody."""

import pytest
import strawberry

from gateways.secrets import fingerprint
from models import Role
from resolvers import account as resolve
from schema import refuse_unguarded
from schema.rows import field as schema_field
from tests.api.guard.asking import FIELDS, GUEST, SCHEMA, WHO, codes, watched
from tests.documents import document
from tests.factories.cart import create_cart
from tests.front import Client, Front

REFUSED = {"UNAUTHENTICATED", "FORBIDDEN"}


def test_the_table_names_every_field_and_no_other() -> None:
    assert {(keyword, name) for keyword, fields in WHO.items() for name in fields} == set(FIELDS)


def test_a_root_field_that_does_not_say_whom_it_allows_is_no_schema() -> None:
    @strawberry.type
    class Careless:
        viewer: int = schema_field(resolve.viewer)

    with pytest.raises(TypeError, match=r"Careless\.viewer does not say whom it allows"):
        refuse_unguarded(Careless)


@pytest.mark.parametrize("role", list(Role))
async def test_every_field_answers_those_who_may_and_refuses_those_who_may_not(
    front: Front, role: Role
) -> None:
    somebody = await guest_with_cart(front) if role is GUEST else await front.staff(role)
    found = {
        (keyword, name): await refusal(somebody, keyword, name)
        for keyword, name in FIELDS
        if keyword != "subscription"
    }
    found |= await refusals_of_streams(somebody)

    no = "UNAUTHENTICATED" if role is GUEST else "FORBIDDEN"
    assert found == {(keyword, name): None if role in WHO[keyword][name] else no for keyword, name in FIELDS}


async def guest_with_cart(front: Front) -> Client:
    """A guest who is known at least by a cart."""
    async with front.shop.database.writes.begin() as session:
        await create_cart(session, token_hash=fingerprint("secret"))
    return front.guest(**{"X-Cart-Token": "secret"})


async def refusal(somebody: Client, keyword: str, name: str) -> str | None:
    """How the guard refuses a field, None when it lets it pass; nothing may break, whatever is given."""
    given = codes(await somebody.ask(document(SCHEMA, keyword, name)))
    assert "INTERNAL" not in given, name
    return next((code for code in given if code in REFUSED), None)


async def refusals_of_streams(somebody: Client) -> dict[tuple[str, str], str | None]:
    return {
        (keyword, name): next(
            (
                code
                for code in codes(await watched(somebody, document(SCHEMA, keyword, name)))
                if code in REFUSED
            ),
            None,
        )
        for keyword, name in FIELDS
        if keyword == "subscription"
    }

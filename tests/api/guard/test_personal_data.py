"""Who reads what is personal: every role tries every text of the schema, wherever it stands."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    is_required_argument,
)
from sqlalchemy import Enum, String, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.personal_data.inventory import PERSONAL_TABLES
from models import GRANTS, Account, DeliveryRunStop, Role
from resolvers.ids import global_id
from schema.privacy import PERSONAL
from tests.api.guard.fields import REQUIRED, SCHEMA
from tests.api.guard.test_things import create_things
from tests.clients import Client, Clients
from tests.documents import root_types
from tests.factories.account import create_account
from tests.factories.delivery_run import create_delivery_run
from tests.factories.shipment import confirmed_order, pack

Path = tuple[str, ...]
"""Names of fields from a type down to a text, and the last type with its field."""

MARK = "~"
DEPTH = 3
"""How many fields a path has below a node; each type is tried as a node, too."""
PATHS_AT_ONCE = 16

UNMARKED = {
    "accounts.password_hash",
    "idempotency_keys.command",
    "idempotency_keys.content_hash",
    "idempotency_keys.key",
    "idempotency_keys.reference",
    "media.url",
    "sessions.token_hash",
    "sign_ins.family",
    "totp_secrets.encrypted_secret",
}
"""Columns that the test itself needs, or that nothing can show."""


def personal_columns() -> Iterator[tuple[Any, str]]:
    """Every text column that erasure empties, or whose rows it deletes."""
    for model, table in PERSONAL_TABLES.items():
        for column in inspect(model).columns:
            text = isinstance(column.type, String) and not isinstance(column.type, Enum)
            if text and (table.deleted or column.key in table.erased):
                yield model, column.key


async def mark_everything(session: AsyncSession, account: Account) -> None:
    """Write a mark into every personal text of an account, with the name of its column."""
    for model, column in personal_columns():
        name = f"{model.__tablename__}.{column}"
        if name not in UNMARKED:
            marked = update(model).where(PERSONAL_TABLES[model].belongs(account.id))
            await session.execute(
                marked.values({column: f"{MARK}{name}"}).execution_options(synchronize_session=False)
            )


def leaf_paths(
    type_: GraphQLObjectType, depth: int, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The paths from a type to every text below it that needs no argument; each path names its last type."""
    for name, field in type_.fields.items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        shown = get_named_type(field.type)
        if isinstance(shown, GraphQLObjectType):
            if depth > 1 and shown.name not in above:
                for path in leaf_paths(shown, depth - 1, (*above, type_.name)):
                    yield (name, *path)
        elif not isinstance(shown, GraphQLEnumType) and shown.name in ("String", "ID", "JSON"):
            yield (name, f"{type_.name}.{name}")


def select_path(path: Path) -> str:
    """The selection of one path."""
    *fields, _ = path
    return " { ".join(fields) + " }" * (len(fields) - 1)


def has_mark(answer: object) -> bool:
    if isinstance(answer, dict):
        return any(has_mark(each) for each in answer.values())
    if isinstance(answer, list):
        return any(has_mark(each) for each in answer)
    return isinstance(answer, str) and (
        answer.startswith(MARK) or (answer.startswith("<svg") and MARK in answer)
    )


async def read_marks(client: Client, roots: dict[str, tuple[str, GraphQLObjectType]]) -> set[str]:
    """The fields by which somebody reads a personal text; each path is a root field of its own.

    A field that is refused makes nothing of the other paths null.
    """
    found: set[str] = set()
    paths = [
        (beginning.replace("@", select_path(path)), path[-1])
        for beginning, type_ in roots.values()
        for path in leaf_paths(type_, DEPTH)
    ]
    for start in range(0, len(paths), PATHS_AT_ONCE):
        batch = paths[start : start + PATHS_AT_ONCE]
        document = " ".join(f"p{place}: {text}" for place, (text, _) in enumerate(batch))
        answer = await client.ask(f"{{ {document} }}")
        data = answer.get("data") or {}
        assert data, answer
        found |= {name for place, (_, name) in enumerate(batch) if has_mark(data.get(f"p{place}"))}
    return found


def type_named(name: str) -> GraphQLObjectType:
    found = SCHEMA.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def node_roots(things: dict[str, str]) -> dict[str, tuple[str, GraphQLObjectType]]:
    return {
        kind: (f'node(id: "{id_}") {{ ... on {kind} {{ @ }} }}', type_named(kind))
        for kind, id_ in things.items()
        if kind != "Media"
    }


def list_roots(role: Role) -> dict[str, tuple[str, GraphQLObjectType]]:
    """The lists of the root that need no argument, as far as a role may ask for them."""
    return {
        name: (f"{name} {{ nodes {{ @ }} }}", node_type)
        for name, field in root_types(SCHEMA)["query"].fields.items()
        if (node_type := node_type_of(field))
        and REQUIRED["query"][name] in GRANTS[role]
        and not any(map(is_required_argument, field.args.values()))
    }


def node_type_of(field: GraphQLField) -> GraphQLObjectType | None:
    """The type of the nodes of a connection; None for other fields."""
    shown = get_named_type(field.type)
    nodes = shown.fields.get("nodes") if isinstance(shown, GraphQLObjectType) else None
    found = get_named_type(nodes.type) if nodes else None
    return found if isinstance(found, GraphQLObjectType) else None


PLACES = {
    f"{type_}.{name}"
    for type_ in ("Address", "PostalAddress")
    for name in ("latitude", "longitude", "coordinateSource")
}
"""Fields that are personal and no texts, so that no mark can be put into them."""
PROOFS = {"DeliveryRunStop.signature", "DeliveryRunStop.photo"} | {
    f"ProofOfDelivery.{name}" for name in PERSONAL["ProofOfDelivery"]
}
"""Pictures have no text, and a parcel that is still on its way has no proof."""
OF_ORDERS = (
    {
        f"{type_}.{name}"
        for type_, names in PERSONAL.items()
        if type_ not in ("Customer", "GiftCard")
        for name in names
    }
    - {"Ticket.messages", "Ticket.media", "Delivery.window"}
    - PLACES
    - PROOFS
)
OF_GIFT_CARDS = {"GiftCard.reason", "GiftCard.voidReason"}
OF_RUNS = {"DeliveryRun.map", "DeliveryRunStop.note", "DeliveryRunStop.proof"}
READERS: dict[Role, set[str]] = {
    Role.ADMIN: OF_ORDERS | OF_GIFT_CARDS | {"Customer.email", "Customer.phone"},
    Role.MANAGER: OF_ORDERS | OF_GIFT_CARDS | {"Customer.email", "Customer.phone"},
    Role.SUPPORT: OF_ORDERS - OF_RUNS | {"Customer.email", "Customer.phone"},
    Role.WAREHOUSE: OF_ORDERS,
    Role.COURIER: {f"PostalAddress.{name}" for name in PERSONAL["PostalAddress"]} - PLACES
    | {
        "DeliveryRun.map",
        "DeliveryRunStop.note",
        "DeliveryRunStop.proof",
        "Shipment.journeyMap",
    },
    Role.CATALOGUE: set(),
    Role.CUSTOMER: set(),
    Role.GUEST_BUYER: set(),
}
"""Role -> the personal fields it reads of somebody else.

A field of the schema that shows a personal column is found by itself; what the staff read must stand in
schema/privacy.py, so that it is noted.
"""


@pytest.mark.settings(
    staff_cost_bucket=100_000_000,
    staff_cost_limit=10_000_000,
    customer_cost_limit=10_000_000,
    customer_cost_bucket=100_000_000,
)
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.GUEST}))
async def test_each_role_reads_of_a_customer_what_its_work_needs(
    clients: Clients, session: AsyncSession, role: Role
) -> None:
    courier = await clients.staff(Role.COURIER)
    somebody = courier if role is Role.COURIER else await clients.staff(role)
    customer = await create_account(session)
    things = await create_things(session, customer)
    [shipment] = await pack(session, await confirmed_order(session, account=customer))
    run = await create_delivery_run(session, [shipment], courier=courier.account)
    stop = await session.scalar(select(DeliveryRunStop).where(DeliveryRunStop.delivery_run_id == run.id))
    assert stop
    things |= {
        "DeliveryRun": global_id("DeliveryRun", run.id),
        "DeliveryRunStop": global_id("DeliveryRunStop", stop.id),
    }
    for kind, id_ in (("Order", shipment.order_id), ("Delivery", shipment.delivery_id)):
        things[kind] = global_id(kind, id_)
    things["Shipment"] = global_id("Shipment", shipment.id)
    await mark_everything(session, customer)
    await session.commit()

    found = await read_marks(somebody, node_roots(things) | list_roots(role))

    assert found == READERS[role]

"""Working for the shop opens nothing by itself: a role of the staff sees what its permissions show."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Forbidden
from models import (
    SIMULATED_CARRIER,
    CannedAnswer,
    CarrierChoice,
    CarrierConnection,
    CashHandIn,
    CertificateRequirement,
    CertificateSubject,
    CurrencyCode,
    DeliveryRunStop,
    DifferenceKind,
    PaymentMethod,
    Permission,
    PriceChange,
    PriceChangeStatus,
    ProductStatus,
    QuizAttempt,
    Role,
    ShipmentTask,
    ShipmentTaskKind,
    ShippingZone,
    StatementDifference,
    StatementForm,
    StatementKind,
    SynonymGroup,
    TicketType,
    UnhandledKind,
    UnhandledReport,
    Waybill,
    WaybillStatus,
)
from resolvers.context import Context, Viewer
from resolvers.ids import global_id
from resolvers.node import NODES
from schema import schema
from tests.api.guard.test_things import create_things
from tests.clients import Clients
from tests.conftest import STARTED_AT
from tests.factories.account import create_account
from tests.factories.carrier import create_carrier, create_carrier_rule
from tests.factories.catalog import create_product, variant_of
from tests.factories.delivery_run import create_delivery_run
from tests.factories.dispute import create_dispute
from tests.factories.knowledge import create_article
from tests.factories.packing import create_box_type, create_open_parcel, create_wave
from tests.factories.promotion import create_percent
from tests.factories.shipment import confirmed_order, pack
from tests.factories.stock import create_warehouse
from tests.factories.training import certify, create_course, create_learner
from tests.factories.vehicle import create_vehicle

ROOT = Path(__file__).parents[3]
ROOMS = ("edge", "resolvers", "schema")

ASKS_WHO_WORKS_FOR_THE_SHOP = {
    "edge/media.py upload_picture": "pictures of customers are private, those of the shop are not",
    "resolvers/catalog/listing.py ready_index": "who changes the catalogue sees that at once",
    "resolvers/aftersales/thread.py from_staff": "the author of a message, not the viewer",
    "resolvers/context.py is_staff": "the property itself",
    "resolvers/cost.py limits_of": "how much somebody may ask for, not what",
    "resolvers/context.py note_reading": "what the staff read of others is noted, not what they may read",
    "resolvers/context.py owner_of": "whose the account is that is read, not who reads",
    "resolvers/context.py note_view": "views of the staff are not views of customers",
    "resolvers/context.py note_question": "what the staff look for is no question of customers",
    "resolvers/knowledge/suggestion.py article_read": "what the staff read saves no ticket",
}
"""Function that asks whether somebody is of the staff -> why no permission would say it."""


def test_only_these_functions_ask_for_the_staff_and_all_others_for_a_permission() -> None:
    found = {
        f"{path.relative_to(ROOT)} {name}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in functions_that_ask_for_staff(ast.parse(path.read_text(encoding="utf-8")))
    }

    assert found == set(ASKS_WHO_WORKS_FOR_THE_SHOP)


def functions_that_ask_for_staff(node: ast.AST, function: str = "module") -> Iterator[str]:
    """The name of the innermost function around each `is_staff` and each `STAFF`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    if (isinstance(node, ast.Attribute) and node.attr == "is_staff") or (
        isinstance(node, ast.Name) and node.id == "STAFF"
    ):
        yield function
    for child in ast.iter_child_nodes(node):
        yield from functions_that_ask_for_staff(child, function)


@dataclass(frozen=True, slots=True)
class Analyst(Viewer):
    """One of the staff who may read reports and nothing else."""

    role: Role = Role.CATALOGUE

    def may(self, permission: Permission) -> bool:
        return permission in {Permission.PUBLIC, Permission.ANALYTICS_VIEW}


async def ask_as_analyst(clients: Clients, document: str, **variables: Any) -> dict[str, Any]:
    async with clients.shop.database.writes.begin() as session:
        account = await create_account(session, role=Role.CATALOGUE)
    viewer = Analyst("en", CurrencyCode.CNY, account_id=account.id)
    assert viewer.is_staff
    result = await schema.execute(
        document, variable_values=variables, context_value=Context(clients.shop, viewer)
    )
    return {"data": result.data, "errors": [str(error.original_error) for error in result.errors or []]}


async def create_foreign_things(session: AsyncSession) -> dict[str, str]:
    """One of everything that the public does not see: of a customer, and of the shop."""
    customer = await create_account(session)
    things = await create_things(session, customer)
    draft = await create_product(session, status=ProductStatus.DRAFT)
    variant = await variant_of(session, draft)
    zone = ShippingZone(name="Everywhere", position=1, regions=["*"], version=1)
    change = PriceChange(
        variant_id=variant.id,
        currency=CurrencyCode.CNY,
        amount=1,
        starts_at=STARTED_AT,
        created_at=STARTED_AT,
        status=PriceChangeStatus.SCHEDULED,
    )
    parcels = await pack(session, await confirmed_order(session))
    run = await create_delivery_run(session, parcels)
    task = ShipmentTask(
        shipment_id=parcels[0].id, kind=ShipmentTaskKind.LATE, due_at=STARTED_AT, opened_at=STARTED_AT
    )
    waybill = Waybill(
        shipment_id=parcels[0].id,
        carrier=SIMULATED_CARRIER,
        choice=CarrierChoice.STAFF,
        status=WaybillStatus.CANCEL_REFUSED,
        reference="refused",
        children=[],
        requested_at=STARTED_AT,
        calls=0,
    )
    hand_in = CashHandIn(
        delivery_run_id=run.id,
        currency=CurrencyCode.CNY,
        expected_amount=1,
        counted_amount=1,
        received_at=STARTED_AT,
        resolved_at=STARTED_AT,
    )
    difference = StatementDifference(
        method=PaymentMethod.SANDBOX,
        form=StatementForm.TRADES,
        subject=StatementKind.PAYMENT,
        kind=DifferenceKind.UNKNOWN_HERE,
        reference="x",
        expected="-",
        found="CNY 1.00",
        happened_at=STARTED_AT,
        key="x",
        created_at=STARTED_AT,
        seen_at=STARTED_AT,
        note="",
    )
    report = UnhandledReport(
        connection=CarrierConnection.KUAIDI100,
        kind=UnhandledKind.UNKNOWN_CODE,
        tracking_number="",
        detail="9999",
        detail_hash="x",
        times=1,
        first_at=STARTED_AT,
        last_at=STARTED_AT,
    )
    answer = CannedAnswer(code="x", language="en", title="X", body="X.", version=1, updated_at=STARTED_AT)
    session.add(answer)
    synonyms = SynonymGroup(terms=["refund", "money back"], version=1, updated_at=STARTED_AT)
    course = await create_course(session)
    certificate = await certify(session, course, await create_learner(session))
    requirement = CertificateRequirement(
        key="x",
        subject=CertificateSubject.TICKETS,
        ticket_type=TicketType.EXCHANGE,
        course_id=course.id,
        version=1,
        updated_at=STARTED_AT,
    )
    session.add_all([requirement, zone, change, difference, hand_in, report, synonyms, task, waybill])
    await session.flush()
    rows: dict[str, Any] = {
        "Article": await create_article(session, published=False),
        "Certificate": certificate,
        "CertificateRequirement": requirement,
        "Course": course,
        "QuizAttempt": await session.get(QuizAttempt, certificate.attempt_id),
        "Carrier": await create_carrier(session, "YTO"),
        "CarrierRule": await create_carrier_rule(session, "All by YTO", "YTO"),
        "CashHandIn": hand_in,
        "DeliveryRun": run,
        "DeliveryRunStop": await session.scalar(
            select(DeliveryRunStop).where(DeliveryRunStop.delivery_run_id == run.id)
        ),
        "Dispute": await create_dispute(session, await confirmed_order(session)),
        "PriceChange": change,
        "Product": draft,
        "Promotion": await create_percent(session),
        "ShipmentTask": task,
        "WaybillTask": waybill,
        "ShippingZone": zone,
        "StatementDifference": difference,
        "CannedAnswer": answer,
        "SynonymGroup": synonyms,
        "UnhandledReport": report,
        "Variant": variant,
        "Vehicle": await create_vehicle(session, run.warehouse_id),
        "BoxType": await create_box_type(session),
        "OpenParcel": await create_open_parcel(session, await confirmed_order(session)),
        "Wave": await create_wave(session, await confirmed_order(session)),
        "Warehouse": await create_warehouse(session),
    }
    return things | {kind: global_id(kind, row.id) for kind, row in rows.items()}


async def test_a_role_for_reports_only_gets_null_for_every_foreign_node(clients: Clients) -> None:
    async with clients.shop.database.writes.begin() as session:
        foreign = await create_foreign_things(session)
    assert set(foreign) == set(NODES) - {"Attribute", "Category"}

    found = await ask_as_analyst(
        clients, "query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }", ids=list(foreign.values())
    )

    assert found["errors"] == []
    shown = dict(zip(foreign, found["data"]["nodes"], strict=True))
    assert {kind for kind, node in shown.items() if node is not None} == set()


async def test_a_role_for_reports_only_reads_of_a_product_what_a_guest_reads(clients: Clients) -> None:
    async with clients.shop.database.writes.begin() as session:
        product = await create_product(session, slug="tea", stock={"MAIN": 50})
        (await variant_of(session, product)).low_stock_at = 3
        await create_article(session, slug="returns")
    public = """{
      product(slug: "tea") {
        availability { quantity }
        variants {
          lowStockAt stock { onHand }
          availabilityNear(address: { countryCode: "CN", province: "浙江省", city: "杭州市" }) {
            units warehouse { id }
          }
        }
      }
      article(slug: "returns") { versions { title } }
      articles(status: DRAFT) { nodes { slug } }
    }"""

    found = await ask_as_analyst(clients, public)

    assert found == {"data": await clients.guest().get(public), "errors": []}


async def test_a_role_for_reports_only_lists_no_product_that_is_not_on_sale(clients: Clients) -> None:
    found = await ask_as_analyst(clients, "{ products(filter: { status: [DRAFT] }) { totalCount } }")

    assert found["errors"] == [str(Forbidden())]

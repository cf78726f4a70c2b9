"""Who sees what proves a delivery, and what becomes of it and of positions when the customer is erased."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from events.delivery_run import OLD_POSITIONS
from events.jobs.scheduler import Scheduler
from events.shop import Shop
from gateways.media import LocalMedia
from models import DeliveryProof, DeliveryRunStop, Media, Role
from resolvers.ids import global_id
from tests.api.test_delivery_run import COMPLETE, REPORT, START, plan_run
from tests.api.test_erasure import erase, files_in
from tests.clients import Client, Clients
from tests.conftest import Clock
from tests.factories.aftersales import create_media
from tests.given import id_of
from tests.observe import run_until_idle

pytestmark = pytest.mark.usefixtures("audit_at_end")

PROOF = """
query ($id: ID!) {
  shipment(id: $id) { proofOfDelivery { takenBy signature { url } photo { url } } }
}
"""
TRAILS = "{ deliveryRuns { nodes { position { latitude } trail { latitude } } } }"
CONFIRM = """
mutation ($input: OrderReceiptConfirmInput!) {
  orderReceiptConfirm(input: $input) { userErrors { code } }
}
"""


async def deliver_with_proof(shop: Shop, session: AsyncSession, customer: Client, courier: Client) -> Any:
    """A parcel of this customer that the courier has handed over, and the two pictures of that."""
    assert courier.account
    run, [parcel] = await plan_run(shop, courier, 1, account=customer.account)
    pictures = [await create_media(session, uploader_id=courier.account.id, now=shop.clock()) for _ in "sp"]
    await session.commit()
    for each in pictures:
        await shop.media.put(each.url.removeprefix("/media/"), b"picture", content_type="image/png")
    started = await courier.do(START, id=run)
    await courier.do(REPORT, deliveryRunId=run, latitude=30.28, longitude=120.1)
    done = await courier.do(
        COMPLETE,
        id=started["deliveryRun"]["stops"][0]["id"],
        outcome="DELIVERED",
        proof="Mr Zhao",
        signatureId=id_of(pictures[0]),
        photoId=id_of(pictures[1]),
    )
    assert done["userErrors"] == []
    await run_until_idle(shop)
    return parcel, pictures


async def test_recipient_and_staff_see_a_proof_and_nobody_else(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, stranger, guest = await clients.customer(), await clients.customer(), clients.guest()
    courier, other = await clients.staff(Role.COURIER), await clients.staff(Role.COURIER)
    parcel, pictures = await deliver_with_proof(shop, session, customer, courier)
    await plan_run(shop, other, 1, account=customer.account)
    signature, photo = ({"url": f"http://shop.test{each.url}"} for each in pictures)
    shown = {"proofOfDelivery": {"takenBy": "Mr Zhao", "signature": signature, "photo": photo}}

    async def see(viewer: Client) -> Any:
        answer = await viewer.ask(PROOF, id=id_of(parcel))
        return (answer["data"] or {}).get("shipment")

    assert [await see(each) for each in (customer, await clients.staff(Role.WAREHOUSE), courier)] == [
        shown
    ] * 3
    assert [await see(each) for each in (stranger, other, guest)] == [None] * 3


async def test_an_erased_customer_leaves_no_proofs_and_others_keep_theirs(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    customer, neighbour = await clients.customer(), await clients.customer()
    courier = await clients.staff(Role.COURIER)
    parcel, pictures = await deliver_with_proof(shop, session, customer, courier)
    _, kept = await deliver_with_proof(shop, session, neighbour, courier)
    confirmed = await customer.do(CONFIRM, id=global_id("Order", parcel.order_id))
    assert confirmed["userErrors"] == []
    await run_until_idle(shop)

    await erase(shop, clock, customer)

    assert isinstance(shop.media, LocalMedia)
    assert files_in(shop.media.folder) == {each.url.removeprefix("/media/") for each in kept}
    rows = select(Media.id).where(Media.id.in_([each.id for each in (*pictures, *kept)]))
    assert set(await session.scalars(rows)) == {each.id for each in kept}
    left = await session.execute(
        select(
            DeliveryRunStop.proof,
            DeliveryRunStop.latitude,
            DeliveryProof.signature_id,
            DeliveryProof.photo_id,
        )
        .outerjoin(DeliveryProof, DeliveryProof.delivery_run_stop_id == DeliveryRunStop.id)
        .where(DeliveryRunStop.shipment_id == parcel.id)
    )
    assert [tuple(row) for row in left] == [("", None, None, None)]


async def test_positions_are_gone_for_everybody_after_a_day(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    customer, courier = await clients.customer(), await clients.staff(Role.COURIER)
    clerk = await clients.staff(Role.WAREHOUSE)
    await deliver_with_proof(shop, session, customer, courier)

    async def seen_by(viewer: Client) -> Any:
        [run] = (await viewer.get(TRAILS))["deliveryRuns"]["nodes"]
        return run

    before = [await seen_by(viewer) for viewer in (clerk, courier)]

    clock.tick(shop.settings.routing.positions_kept)
    await Scheduler(shop, [OLD_POSITIONS]).run_once()

    position = {"latitude": 30.28}
    assert before == [
        {"position": position, "trail": [position]},
        {"position": position, "trail": None},  # a trail is for those who plan
    ]
    again = await clients.staff(Role.WAREHOUSE)  # the token of the first one has expired
    assert await seen_by(again) == {"position": None, "trail": []}

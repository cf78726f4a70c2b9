"""The door for pictures."""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware

from domain.media import KEPT_UNUSED
from edge.limits import BodyLimit
from edge.media import media_routes
from events.shop import Shop
from models import Media, OrderStatus, Role
from resolvers.ids import global_id
from tests.api.test_clerks import mutation
from tests.conftest import Clock
from tests.factories.aftersales import create_ticket
from tests.factories.order import create_order
from tests.front import Front
from tests.observe import settle

LIMIT = 5_000


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 3), "red").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
async def door(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    limit = Middleware(BodyLimit, limit=LIMIT, limits={})
    app = Starlette(routes=media_routes(shop), middleware=[limit])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client


async def kept(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count(Media.id))) or 0


def code(reply: httpx.Response) -> str:
    found: str = reply.json()["errors"][0]["extensions"]["code"]
    return found


@pytest.mark.parametrize("as_form", [True, False])
async def test_a_picture_is_taken_and_shown(
    door: httpx.AsyncClient, front: Front, shop: Shop, as_form: bool
) -> None:
    customer = await front.customer()
    given = {"files": {"file": ("photo.exe", png())}} if as_form else {"content": png()}

    reply = await door.post("/media", headers=customer.headers, **given)
    shown = await door.get(reply.json()["url"])

    async with shop.database.reads() as session:
        media = (await session.scalars(select(Media))).one()
    assert reply.status_code == 201
    assert reply.json() == {
        "id": global_id("Media", media.id),
        "url": media.url,
        "contentType": "image/png",
        "width": 4,
        "height": 3,
    }
    assert customer.account is not None
    assert media.uploader_id == customer.account.id
    assert Image.open(BytesIO(shown.content)).size == (4, 3)
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"


async def test_what_clerks_send_may_be_kept_by_any_cache(door: httpx.AsyncClient, front: Front) -> None:
    staff = await front.staff(Role.CATALOGUE)

    url = (await door.post("/media", content=png(), headers=staff.headers)).json()["url"]

    assert (await door.get(url)).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert not url.startswith("/media/private-")


async def test_a_picture_that_has_been_sent_is_known_on_a_product(front: Front) -> None:
    clerk = await front.staff(Role.CATALOGUE)
    sent = await front.http.post("/media", content=png(), headers=clerk.headers)
    url = sent.json()["url"]
    shown = "product { media { url contentType width height } variants { media { width } } }"
    variant = {"pictureUrl": url}

    made = await clerk.do(
        mutation("productCreate", shown), title="Tea", pictures=[{"url": url}], variants=[variant]
    )

    assert made["product"] == {
        "media": [{"url": url, "contentType": "image/png", "width": 4, "height": 3}],
        "variants": [{"media": {"width": 4}}],
    }


async def test_a_picture_that_became_no_evidence_is_thrown_away_in_time(
    front: Front, shop: Shop, clock: Clock
) -> None:
    customer, staff = await front.customer(), await front.staff(Role.CATALOGUE)
    sent = [
        await front.http.post("/media", content=png(), headers=somebody.headers)
        for somebody in (customer, customer, staff)
    ]
    urls = [reply.json()["url"] for reply in sent]
    async with shop.database.writes.begin() as session:
        used = (await session.scalars(select(Media).where(Media.url == urls[0]))).one()
        order = await create_order(session, account=customer.account, status=OrderStatus.COMPLETED)
        await create_ticket(session, order=order, media_ids=[used.id])

    clock.tick(KEPT_UNUSED - timedelta(seconds=1))
    await settle(shop)
    early = [(await front.http.get(url)).status_code for url in urls]
    clock.tick(timedelta(seconds=1))
    await settle(shop)

    assert early == [200, 200, 200]
    assert [(await front.http.get(url)).status_code for url in urls] == [200, 404, 200]
    assert await kept(shop) == 3  # with the picture of what was bought


async def test_a_guest_sends_no_pictures(door: httpx.AsyncClient, shop: Shop) -> None:
    reply = await door.post("/media", content=png())

    assert (reply.status_code, code(reply)) == (401, "UNAUTHENTICATED")
    assert await kept(shop) == 0


async def test_a_forged_token_sends_no_pictures(door: httpx.AsyncClient, shop: Shop) -> None:
    reply = await door.post("/media", content=png(), headers={"Authorization": "Bearer forged"})

    assert (reply.status_code, code(reply)) == (401, "UNAUTHENTICATED")
    assert await kept(shop) == 0


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"content": b"<html>"}, 415),
        ({"files": {"file": ("a.png", b"<html>")}}, 415),
        ({"files": {"other": ("a.png", png())}}, 400),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
    ],
    ids=["page", "page in a form", "other field", "broken form"],
)
async def test_anything_but_a_picture_is_refused(
    door: httpx.AsyncClient, front: Front, shop: Shop, given: dict[str, dict[str, str]], status: int
) -> None:
    staff = await front.staff(Role.CATALOGUE)
    headers = staff.headers | given.get("headers", {})

    reply = await door.post("/media", **(given | {"headers": headers}))  # type: ignore[arg-type]

    assert (reply.status_code, code(reply)) == (status, "INVALID")
    assert await kept(shop) == 0


async def test_a_file_above_the_limit_is_refused(door: httpx.AsyncClient, front: Front, shop: Shop) -> None:
    customer = await front.customer()

    reply = await door.post("/media", content=b"x" * (LIMIT + 1), headers=customer.headers)

    assert reply.status_code == 413
    assert await kept(shop) == 0


@pytest.mark.parametrize("name", ["nothing.png", "..%2F..%2Fsettings.py", ".png", "a.svg", "a.png.part"])
async def test_only_pictures_that_were_taken_are_shown(door: httpx.AsyncClient, name: str) -> None:
    assert (await door.get(f"/media/{name}")).status_code == 404

"""Uploading pictures and serving them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.middleware import Middleware

from domain.media import UNUSED_RETENTION
from edge.limits.body import BodyLimit
from edge.media import media_routes
from edge.picture_sizes import PictureSizes
from events.shop import Shop
from gateways.picture_links import LIFETIME
from models import Media, OrderStatus, Role
from resolvers.ids import global_id
from tests.api.test_catalog_editing import mutation
from tests.clients import Clients
from tests.conftest import Clock
from tests.factories.aftersales import create_ticket
from tests.factories.order import create_order
from tests.observe import run_until_idle

LIMIT = 5_000


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 3), "red").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
async def uploads(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    limit = Middleware(BodyLimit, limit=LIMIT, limits={})
    app = Starlette(
        routes=media_routes(shop, PictureSizes(shop.media, shop.picture_memory)), middleware=[limit]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
        yield client


async def count_media(shop: Shop) -> int:
    async with shop.database.reads() as session:
        return await session.scalar(select(func.count(Media.id))) or 0


def code_of(reply: httpx.Response) -> str:
    code: str = reply.json()["errors"][0]["extensions"]["code"]
    return code


@pytest.mark.parametrize("as_form", [True, False])
async def test_an_uploaded_picture_is_served(
    uploads: httpx.AsyncClient, clients: Clients, shop: Shop, as_form: bool
) -> None:
    customer = await clients.customer()
    request_body = {"files": {"file": ("photo.exe", png())}} if as_form else {"content": png()}

    reply = await uploads.post("/media", headers=customer.headers, **request_body)
    shown = await uploads.get(reply.json()["url"])

    async with shop.database.reads() as session:
        media = (await session.scalars(select(Media))).one()
    assert reply.status_code == 201
    assert reply.json() == {
        "id": global_id("Media", media.id),
        "url": reply.json()["url"],
        "contentType": "image/png",
        "width": 4,
        "height": 3,
    }
    assert reply.json()["url"].startswith(f"http://shop.test{media.url}?token=")
    assert customer.account is not None
    assert media.uploader_id == customer.account.id
    assert Image.open(BytesIO(shown.content)).size == (4, 3)
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["cache-control"] == "private, max-age=1800"


async def test_the_address_of_a_private_picture_is_signed_and_expires(
    uploads: httpx.AsyncClient, clients: Clients, clock: Clock
) -> None:
    customer, courier = await clients.customer(), await clients.staff(Role.COURIER)
    urls = [
        (await uploads.post("/media", content=png(), headers=viewer.headers)).json()["url"]
        for viewer in (customer, courier)
    ]
    first, second = urls
    bare, token = first.split("?")
    small = bare + ".small.webp"

    async def statuses(*addresses: str) -> list[int]:
        return [(await uploads.get(address)).status_code for address in addresses]

    assert await statuses(*urls) == [200, 200]
    assert await statuses(bare, small, f"{bare}?token=", f"{bare}?token=x", first[:-1]) == [404] * 5
    assert await statuses(f"{bare}?{second.split('?')[1]}", f"{small}?{token}") == [404, 404]
    later = token.replace("token=", "token=9")
    assert await statuses(f"{bare}?{later}") == [404]
    clock.tick(LIFETIME - timedelta(seconds=1))
    assert await statuses(*urls) == [200, 200]
    clock.tick(LIFETIME + timedelta(seconds=1))
    assert await statuses(*urls) == [404, 404]


async def test_pictures_of_staff_may_be_kept_by_shared_caches(
    uploads: httpx.AsyncClient, clients: Clients
) -> None:
    staff = await clients.staff(Role.CATALOGUE)

    url = (await uploads.post("/media", content=png(), headers=staff.headers)).json()["url"]

    assert (await uploads.get(url)).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "private-" not in url


async def test_an_uploaded_picture_has_its_type_and_size_on_a_product(clients: Clients) -> None:
    staff = await clients.staff(Role.CATALOGUE)
    sent = await clients.http.post("/media", content=png(), headers=staff.headers)
    url = sent.json()["url"]
    shown = "product { media { url contentType width height } variants { media { width } } }"
    variant = {"pictureUrl": url}

    payload = await staff.do(
        mutation("productCreate", shown), title="Tea", pictures=[{"url": url}], variants=[variant]
    )

    assert payload["product"] == {
        "media": [{"url": url, "contentType": "image/png", "width": 4, "height": 3}],
        "variants": [{"media": {"width": 4}}],
    }


async def test_a_picture_of_a_customer_that_no_ticket_uses_is_deleted_after_a_week(
    clients: Clients, shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    customer, staff = await clients.customer(), await clients.staff(Role.CATALOGUE)
    sent = [
        await clients.http.post("/media", content=png(), headers=viewer.headers)
        for viewer in (customer, customer, staff)
    ]
    urls = [reply.json()["url"] for reply in sent]
    names = [url.removeprefix("http://shop.test/media/").partition("?")[0] for url in urls]
    used = (await session.scalars(select(Media).where(Media.url == f"/media/{names[0]}"))).one()
    order = await create_order(session, account=customer.account, status=OrderStatus.COMPLETED)
    await create_ticket(session, order=order, media_ids=[used.id])
    await session.commit()

    clock.tick(UNUSED_RETENTION - timedelta(seconds=1))
    await run_until_idle(shop)
    early = [await shop.media.get(name) is not None for name in names]
    clock.tick(timedelta(seconds=1))
    await run_until_idle(shop)

    assert early == [True, True, True]
    assert [await shop.media.get(name) is not None for name in names] == [True, False, True]
    assert await count_media(shop) == 3  # with the picture of what was bought


async def test_a_guest_cannot_upload_a_picture(uploads: httpx.AsyncClient, shop: Shop) -> None:
    reply = await uploads.post("/media", content=png())

    assert (reply.status_code, code_of(reply)) == (401, "UNAUTHENTICATED")
    assert await count_media(shop) == 0


async def test_a_forged_token_cannot_upload_a_picture(uploads: httpx.AsyncClient, shop: Shop) -> None:
    reply = await uploads.post("/media", content=png(), headers={"Authorization": "Bearer forged"})

    assert (reply.status_code, code_of(reply)) == (401, "UNAUTHENTICATED")
    assert await count_media(shop) == 0


@pytest.mark.parametrize(
    ("request_body", "status"),
    [
        ({"content": b"<html>"}, 415),
        ({"files": {"file": ("a.png", b"<html>")}}, 415),
        ({"files": {"other": ("a.png", png())}}, 400),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
    ],
    ids=["page", "page in a form", "other field", "broken form"],
)
async def test_anything_but_a_picture_is_refused(
    uploads: httpx.AsyncClient,
    clients: Clients,
    shop: Shop,
    request_body: dict[str, dict[str, str]],
    status: int,
) -> None:
    staff = await clients.staff(Role.CATALOGUE)
    headers = staff.headers | request_body.get("headers", {})

    reply = await uploads.post("/media", **(request_body | {"headers": headers}))  # type: ignore[arg-type]

    assert (reply.status_code, code_of(reply)) == (status, "INVALID")
    assert await count_media(shop) == 0


async def test_a_file_above_the_limit_is_refused(
    uploads: httpx.AsyncClient, clients: Clients, shop: Shop
) -> None:
    customer = await clients.customer()

    reply = await uploads.post("/media", content=b"x" * (LIMIT + 1), headers=customer.headers)

    assert reply.status_code == 413
    assert await count_media(shop) == 0


@pytest.mark.parametrize("name", ["nothing.png", "..%2F..%2Fsettings.py", ".png", "a.svg", "a.png.part"])
async def test_only_uploaded_pictures_are_served(uploads: httpx.AsyncClient, name: str) -> None:
    assert (await uploads.get(f"/media/{name}")).status_code == 404

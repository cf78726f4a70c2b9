"""The door for pictures."""

from collections.abc import AsyncIterator
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware

from edge.limits import BodyLimit
from edge.media import media_routes
from events.shop import Shop
from models import Media, Role
from resolvers.ids import global_id
from tests.front import Front

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
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"


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

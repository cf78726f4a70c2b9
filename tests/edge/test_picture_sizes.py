"""Pictures in several sizes: made once, named by content and size, and only those that are declared."""

import asyncio
from io import BytesIO

import httpx
import pytest
from PIL import Image

from domain.picture_size import SIDES, list_file_names
from edge import picture_sizes
from edge.picture_sizes import PictureSizes
from events.shop import Shop
from gateways.media import LocalMedia
from models import PictureSize, Role
from tests.api.test_catalog_editing import mutation
from tests.clients import Clients

URLS = "query ($id: ID!) { node(id: $id) { ... on Media { url " + "".join(
    f"{size.lower()}: url(size: {size}) " for size in PictureSize
) + "} } }"  # fmt: skip


def picture(width: int, height: int, *, format: str = "JPEG", mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, (width, height), "red").save(file, format)
    return file.getvalue()


async def upload(clients: Clients, data: bytes, *, role: Role = Role.CATALOGUE) -> dict[str, str]:
    """Upload a picture; return its addresses: `url` and one for each size."""
    staff = await clients.staff(role)
    sent = await clients.http.post("/media", content=data, headers=staff.headers)
    urls: dict[str, str] = (await staff.get(URLS, id=sent.json()["id"]))["node"]
    return urls


def shown_size(reply: httpx.Response) -> tuple[int, int]:
    return Image.open(BytesIO(reply.content)).size


async def list_stored(shop: Shop) -> list[str]:
    assert isinstance(shop.media, LocalMedia)
    return sorted(path.name for path in shop.media.folder.iterdir())


async def test_a_picture_is_shown_in_each_size_as_webp(clients: Clients, shop: Shop) -> None:
    urls = await upload(clients, picture(2_000, 1_000))

    replies = {size: await clients.http.get(urls[size.lower()]) for size in PictureSize}

    assert {size: shown_size(reply) for size, reply in replies.items()} == {
        size: (side, side // 2) for size, side in SIDES.items()
    }
    for reply in replies.values():
        assert reply.headers["content-type"] == "image/webp"
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    name = urls["url"].rpartition("/")[2]
    assert urls["small"] == f"http://shop.test/media/{name}.small.webp"
    assert await list_stored(shop) == sorted(list_file_names(name))


@pytest.mark.parametrize(("format", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("GIF", "P"), ("JPEG", "CMYK")])
async def test_a_small_picture_of_any_kind_keeps_its_size(clients: Clients, format: str, mode: str) -> None:
    urls = await upload(clients, picture(30, 20, format=format, mode=mode))

    reply = await clients.http.get(urls["small"])

    assert (reply.headers["content-type"], shown_size(reply)) == ("image/webp", (30, 20))


async def test_a_stored_size_is_not_made_again(clients: Clients, shop: Shop) -> None:
    urls = await upload(clients, picture(2_000, 1_000))
    await clients.http.get(urls["small"])
    name = urls["small"].rpartition("/")[2]
    await shop.media.put(name, b"kept", content_type="image/webp")

    assert (await clients.http.get(urls["small"])).content == b"kept"


class CountingMedia(LocalMedia):
    """Counts how often each file is stored, and lets every writer wait a moment."""

    stored: list[str]

    async def put(self, name: str, data: bytes, *, content_type: str) -> None:
        self.stored.append(name)
        await asyncio.sleep(0)
        await super().put(name, data, content_type=content_type)


async def test_requests_at_the_same_moment_make_one_file(clients: Clients, shop: Shop) -> None:
    urls = await upload(clients, picture(2_000, 1_000))
    assert isinstance(shop.media, LocalMedia)
    counting = CountingMedia(shop.media.folder)
    counting.stored = []
    clients.app.state.picture_sizes.store = counting

    replies = await asyncio.gather(*(clients.http.get(urls["medium"]) for _ in range(8)))

    assert {shown_size(reply) for reply in replies} == {(800, 400)}
    assert counting.stored == [urls["medium"].rpartition("/")[2]]


@pytest.mark.parametrize(
    "change", [".huge.webp", ".small.png", ".small.webp.small.webp", ".401.webp", ".webp"]
)
async def test_a_size_that_is_not_declared_is_not_made(clients: Clients, shop: Shop, change: str) -> None:
    urls = await upload(clients, picture(40, 40))

    reply = await clients.http.get(urls["url"] + change)

    assert reply.status_code == 404
    assert len(await list_stored(shop)) == 1


async def test_there_is_no_size_of_a_picture_that_does_not_exist(clients: Clients, shop: Shop) -> None:
    reply = await clients.http.get("/media/unknown.png.small.webp")

    assert (reply.status_code, reply.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


async def test_who_asks_for_too_many_sizes_at_once_is_told_to_come_again(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = await upload(clients, picture(2_000, 1_000))
    monkeypatch.setattr(picture_sizes, "MADE_AT_ONCE", 1)
    sizes = clients.app.state.picture_sizes
    assert isinstance(sizes, PictureSizes)

    async with sizes.reading, sizes.reading:
        first = asyncio.create_task(clients.http.get(urls["small"]))
        while not sizes.running:
            await asyncio.sleep(0.01)
        refused = await clients.http.get(urls["large"])

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert (await first).status_code == 200


async def test_the_sizes_of_a_customers_picture_are_private(clients: Clients) -> None:
    customer = await clients.customer()
    sent = await clients.http.post("/media", content=picture(900, 900), headers=customer.headers)
    urls = (await customer.get(URLS, id=sent.json()["id"]))["node"]

    reply = await clients.http.get(urls["small"])

    assert reply.headers["cache-control"] == "private, max-age=1800"


async def test_a_size_made_while_its_original_is_deleted_does_not_stay(clients: Clients, shop: Shop) -> None:
    urls = await upload(clients, picture(900, 900))
    name = urls["url"].rpartition("/")[2]

    class Deleting(LocalMedia):
        async def put(self, name_: str, data: bytes, *, content_type: str) -> None:
            await super().put(name_, data, content_type=content_type)
            await super().delete(name)

    assert isinstance(shop.media, LocalMedia)
    clients.app.state.picture_sizes.store = Deleting(shop.media.folder)

    assert (await clients.http.get(urls["small"])).status_code == 404
    assert await list_stored(shop) == []


async def test_an_address_is_that_of_the_request_and_never_a_forged_one(clients: Clients) -> None:
    urls = await upload(clients, picture(40, 40))
    path = urls["url"].removeprefix("http://shop.test")
    document = {"query": "{ products { nodes { media { url } } } }"}

    for host in ("a b", "evil.example/x", "x" * 300, ""):
        reply = await clients.http.post("/graphql", json=document, headers={"Host": host})
        assert host == "" or host not in reply.text
    assert path.startswith("/media/")


async def test_an_editor_who_sends_the_shops_own_address_back_changes_nothing(clients: Clients) -> None:
    staff = await clients.staff(Role.CATALOGUE)
    urls = await upload(clients, picture(40, 40))
    create = mutation("productCreate", "product { id version }")
    update = mutation("productUpdate", "product { version media { url } }")
    created = (await staff.do(create, title="Tea", pictures=[{"url": urls["url"]}]))["product"]

    sent_back = await staff.do(update, **created, pictures=[{"url": urls["url"]}])

    assert sent_back["product"] == {"version": created["version"], "media": [{"url": urls["url"]}]}

"""Stores of pictures: a folder, and a bucket of a real object store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app import create_app
from gateways.media import LocalMedia, MediaStore, MediaUnavailable, create_media_store
from models import Role
from settings import Settings, WrongSetting
from tests.bucket import KEY_ID, SECRET, Bucket, run_object_store
from tests.clients import Clients
from tests.conftest import Clock, settings_for
from tests.edge.test_media import png


@pytest.fixture
async def bucket() -> AsyncIterator[Bucket]:
    async with run_object_store() as opened:
        yield opened


def in_bucket(bucket: Bucket, database_url: str, folder: Path, **changes: str) -> Settings:
    given = {
        "media_url": "s3://pictures/shop",
        "s3_endpoint": bucket.endpoint,
        "s3_access_key_id": KEY_ID,
        "s3_secret_access_key": SECRET,
    }
    return settings_for(database_url, folder, **(given | changes))


@pytest.fixture(params=["folder", "bucket"])
async def store(request: pytest.FixtureRequest, bucket: Bucket, tmp_path: Path) -> MediaStore:
    if request.param == "folder":
        return LocalMedia(tmp_path / "media")
    return create_media_store(in_bucket(bucket, "sqlite://", tmp_path))


async def test_a_stored_file_is_there_until_it_is_deleted(store: MediaStore) -> None:
    await store.put("a.png", b"first", content_type="image/png")
    await store.put("b.png", b"", content_type="image/png")
    await store.put("a.png", b"second", content_type="image/png")

    assert await store.get("a.png") == b"second"
    assert await store.get("b.png") == b""
    assert await store.get("c.png") is None
    assert [await store.has(name) for name in ("a.png", "b.png", "c.png")] == [True, True, False]
    await store.delete("a.png")
    await store.delete("a.png")
    assert await store.get("a.png") is None


@pytest.mark.parametrize("name", ["../a.png", "..", ".", "/etc/passwd", "sub/a.png"])
async def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.png").write_bytes(b"outside")
    store = LocalMedia(tmp_path / "media")

    await store.delete(name)

    assert not await store.has(name)
    assert await store.get(name) is None
    assert (tmp_path / "a.png").exists()


async def test_a_shop_with_a_bucket_stores_its_pictures_there(
    bucket: Bucket, sqlite_url: str, tmp_path: Path, clock: Clock
) -> None:
    app = create_app(in_bucket(bucket, sqlite_url, tmp_path), clock=clock)
    async with app.router.lifespan_context(app), Clients.open(app) as clients:
        clerk = await clients.staff(Role.CATALOGUE)
        sent = await clients.http.post("/media", content=png(), headers=clerk.headers)
        url = sent.json()["url"]
        shown = await clients.http.get(url)
        bucket.broken = True
        away = await clients.http.get(url)
        refused = await clients.http.post("/media", content=png(), headers=clerk.headers)

    ((path, (kind, data)),) = bucket.files.items()
    assert (path, kind) == (url.replace("http://shop.test/media/", "/pictures/shop/"), "image/png")
    assert (shown.status_code, shown.content) == (200, data)
    for reply in (away, refused):
        assert reply.status_code == 503
        assert reply.json()["errors"][0]["extensions"] == {"code": "PROVIDER_UNAVAILABLE"}
    assert not (tmp_path / "var/media").exists()


async def test_a_wrong_secret_is_an_outage_that_shows_no_secret(bucket: Bucket, tmp_path: Path) -> None:
    settings = in_bucket(bucket, "sqlite://", tmp_path, s3_secret_access_key="another secret")

    with pytest.raises(MediaUnavailable) as refused:
        await create_media_store(settings).put("a.png", b"x", content_type="image/png")

    assert bucket.files == {}
    assert not any(word in repr(refused.value) + repr(settings) for word in ("another secret", KEY_ID))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"media_url": "ftp://x"}, "MEDIA_URL"),
        ({"media_url": "s3://"}, "MEDIA_URL"),
        ({"s3_secret_access_key": ""}, "S3_SECRET_ACCESS_KEY"),
        ({"s3_endpoint": "pictures.test"}, "S3_ENDPOINT"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, given: dict[str, str], named: str) -> None:
    with pytest.raises(WrongSetting, match=named):
        in_bucket(Bucket(), "sqlite://", tmp_path, **given)

"""Pictures of the catalogue are checked in the background, and those that cannot be reached are issues."""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import create_app
from domain.quality import QualityReason
from domain.quality.picture_checks import (
    CHECK_DEADLINE,
    FAILURES_LIMIT,
    HOST_PAUSE,
    RATE_PERIOD,
    RETRY_AFTER,
    UNREACHABLE_CHECKED_EVERY,
    CheckPace,
    take_due_picture,
)
from events.jobs.picture_checker import PictureChecker
from events.shop import Shop
from gateways.foreign_pictures import PictureProbe
from gateways.foreign_pictures.hosts import HostAddress
from models import Media, PictureFault, Product, ProductMedia, ProductStatus, Role
from models.database import Database
from tests.clients import Clients
from tests.conftest import Clock, settings_for
from tests.factories.catalog import NOW, add_picture, create_product, variant_of
from tests.observe import TIMEOUT_SECONDS, count_statements
from tests.picture_server import ANY_PORT, PictureHost, PictureReply

RATE, EVERY = 100, timedelta(days=30)
PACE = CheckPace(RATE, EVERY)
ON = pytest.mark.settings(pictures_checked_per_minute=RATE, public_url="https://tea.example")
ISSUES = """
{ catalogQuality { issues(reasons: [UNREACHABLE_PICTURE]) {
  nodes { product { slug } reason field message } } } }
"""
pytestmark = ON


@pytest.fixture
def checker(shop: Shop) -> PictureChecker:
    async def resolve(host: str, port: int) -> Sequence[HostAddress]:
        return [IPv4Address("127.0.0.1")]

    probe = PictureProbe("Shop", ssl.create_default_context(), resolve, lambda address: True, ports=ANY_PORT)
    return PictureChecker(shop, probe)


async def create_tea(session: AsyncSession, *urls: str, slug: str = "tea", **given: Any) -> Product:
    product = await create_product(session, slug=slug, title=slug, pictures=0, **given)
    for position, url in enumerate(urls, start=1):
        await add_picture(session, product, position=position, url=url)
    await session.commit()
    return product


async def check_all(checker: PictureChecker, clock: Clock) -> int:
    """Check all that is due, each after the pause of its host; how many."""
    count = 0
    while await checker.check_next():
        count += 1
        clock.tick(HOST_PAUSE)
    return count


async def list_media(session: AsyncSession) -> list[Media]:
    statement = select(Media).order_by(Media.id).execution_options(populate_existing=True)
    found = [*await session.scalars(statement)]
    await session.commit()
    return found


async def call_unreachable(session: AsyncSession) -> None:
    """Let all pictures be known as unreachable."""
    await session.execute(update(Media).values(check_fault=PictureFault.NOT_FOUND, unreachable_since=NOW))
    await session.commit()


async def issues_of(clients: Clients) -> list[dict[str, Any]]:
    clerk = await clients.staff(Role.CATALOGUE)
    found: list[dict[str, Any]] = (await clerk.get(ISSUES))["catalogQuality"]["issues"]["nodes"]
    return found


async def test_a_picture_is_an_issue_after_failures_at_different_times_until_it_is_there_again(
    shop: Shop,
    session: AsyncSession,
    checker: PictureChecker,
    host: PictureHost,
    clock: Clock,
    clients: Clients,
) -> None:
    address = f"http://me:secret@pictures.example:{host.port}/gone.png?key=secret"
    await create_tea(session, f"http://pictures.example:{host.port}/there.png", address)
    host.replies["/there.png"] = PictureReply()

    began = clock()
    for failures in range(1, FAILURES_LIMIT):
        assert await check_all(checker, clock) == (2 if failures == 1 else 1)
        assert await check_all(checker, clock) == 0
        (there, gone) = await list_media(session)
        assert (there.check_failures, there.check_fault, there.check_at) == (0, None, began + EVERY)
        assert (gone.check_failures, gone.check_fault, gone.unreachable_since) == (
            failures,
            PictureFault.NOT_FOUND,
            None,
        )
        assert await issues_of(clients) == []
        clock.tick(RETRY_AFTER)

    assert await check_all(checker, clock) == 1
    assert await issues_of(clients) == [
        {
            "product": {"slug": "tea"},
            "reason": "UNREACHABLE_PICTURE",
            "field": "media.2",
            "message": "The picture pictures.example/gone.png cannot be reached: it is not there.",
        }
    ]

    host.replies["/gone.png?key=secret"] = PictureReply()
    assert await check_all(checker, clock) == 0
    clock.tick(UNREACHABLE_CHECKED_EVERY)
    assert await check_all(checker, clock) == 1
    assert await issues_of(clients) == []
    (_, found) = await list_media(session)
    assert (found.check_failures, found.check_fault, found.unreachable_since) == (0, None, None)


async def test_pictures_of_the_shop_are_looked_for_where_they_are_stored(
    shop: Shop, session: AsyncSession, checker: PictureChecker, host: PictureHost, clock: Clock
) -> None:
    await shop.media.put("a.png", b"x", content_type="image/png")
    await create_tea(
        session,
        "/media/a.png",
        "https://tea.example/media/a.png?v=1",
        "/media/lost.png",
        "/media/demo/drawn.svg",
        "/media/..",
    )

    assert await check_all(checker, clock) == 5

    assert [(each.check_failures, each.check_fault) for each in await list_media(session)] == [
        (0, None),
        (0, None),
        (1, PictureFault.NOT_FOUND),
        (0, None),
        (1, PictureFault.NOT_FOUND),
    ]
    assert host.asked == []


async def test_a_picture_that_only_a_variant_has_is_an_issue_of_the_variant(
    shop: Shop, session: AsyncSession, checker: PictureChecker, clock: Clock, clients: Clients
) -> None:
    product = await create_tea(session)
    media = Media(url="/media/lost.png", alt="", created_at=NOW)
    session.add(media)
    await session.flush()
    variant = await variant_of(session, product)
    variant.media_id = media.id
    await session.commit()

    for _ in range(FAILURES_LIMIT):
        assert await check_all(checker, clock) == 1
        clock.tick(RETRY_AFTER)

    (issue,) = await issues_of(clients)
    assert issue["field"] == f"variants.{variant.sku}.media"
    assert issue["message"] == "The picture /media/lost.png cannot be reached: it is not there."


async def test_what_the_catalogue_does_not_show_is_not_asked_for_and_forgets_its_failures(
    shop: Shop, session: AsyncSession, checker: PictureChecker, clock: Clock, clients: Clients
) -> None:
    await create_tea(session, "/media/lost.png", "/media/lost2.png")
    await create_tea(session, "/media/old.png", slug="old", status=ProductStatus.ARCHIVED)
    session.add(Media(url="/media/of-a-ticket.png", alt="", created_at=NOW))
    await session.commit()
    assert await check_all(checker, clock) == 2
    for each in await session.scalars(select(ProductMedia)):
        await session.delete(each)
    await session.commit()
    clock.tick(RETRY_AFTER)

    assert await check_all(checker, clock) == 0

    assert {
        (each.check_failures, each.check_fault, each.unreachable_since) for each in await list_media(session)
    } == {(0, None, None)}


async def test_a_picture_that_is_deleted_during_its_check_leaves_nothing(
    shop: Shop, session: AsyncSession, checker: PictureChecker, clock: Clock
) -> None:
    await create_tea(session, "/media/lost.png")
    async with shop.database.writes.begin() as other:
        due = await take_due_picture(other, PACE, now=clock())
    assert due is not None
    for model in (ProductMedia, Media):
        for each in await session.scalars(select(model)):
            await session.delete(each)
    await session.commit()

    await checker.end_check(due, PictureFault.NOT_FOUND)

    assert await list_media(session) == []


async def test_a_host_is_asked_once_at_a_time_and_has_a_pause(
    shop: Shop, session: AsyncSession, clock: Clock
) -> None:
    await create_tea(session, "https://a.example/1", "https://A.example/2", "https://b.example/1")

    async def take() -> str | None:
        async with shop.database.writes.begin() as other:
            due = await take_due_picture(other, PACE, now=clock())
        return due.url if due else None

    assert [await take(), await take(), await take()] == ["https://a.example/1", "https://b.example/1", None]
    clock.tick(CHECK_DEADLINE + HOST_PAUSE)
    assert [await take(), await take()] == ["https://A.example/2", None]


async def test_the_whole_shop_keeps_the_pace(shop: Shop, session: AsyncSession, clock: Clock) -> None:
    await create_tea(session, *(f"https://{host}.example/1" for host in "abc"))
    slow = CheckPace(2, EVERY)

    async def take() -> bool:
        async with shop.database.writes.begin() as other:
            return await take_due_picture(other, slow, now=clock()) is not None

    assert [await take(), await take(), await take()] == [True, True, False]
    clock.tick(CHECK_DEADLINE + RATE_PERIOD)
    assert [await take(), await take()] == [True, False]


async def test_what_was_not_to_be_told_counts_as_no_failure(
    shop: Shop, session: AsyncSession, checker: PictureChecker, host: PictureHost, clock: Clock
) -> None:
    began = clock()
    await create_tea(session, f"http://pictures.example:{host.port}/a.png")
    host.replies["/a.png"] = PictureReply(429)

    assert await check_all(checker, clock) == 1

    (media,) = await list_media(session)
    assert (media.check_failures, media.check_fault, media.check_at) == (0, None, began + RETRY_AFTER)


async def test_no_two_processes_check_one_picture_or_ask_one_host(crowd: Database, clock: Clock) -> None:
    hosts = [f"{number}.example" for number in range(10)]
    async with crowd.writes.begin() as session:
        product = await create_product(session, slug="tea", pictures=0)
        for position, host in enumerate([*hosts, *hosts], start=1):
            await add_picture(session, product, position=position, url=f"https://{host}/{position}")

    async def take() -> str | None:
        async with crowd.writes.begin() as session:
            due = await take_due_picture(session, PACE, now=clock())
        return due.url if due else None

    taken = [url for url in await asyncio.gather(*(take() for _ in range(20))) if url]

    assert sorted(urlsplit(url).netloc for url in taken) == hosts


@pytest.mark.parametrize("pictures", [1, 30])
async def test_checking_costs_as_many_statements_however_many_pictures_there_are(
    shop: Shop, session: AsyncSession, checker: PictureChecker, clients: Clients, pictures: int, clock: Clock
) -> None:
    await create_tea(session, *(f"/media/lost{each}.png" for each in range(pictures)))
    with count_statements(shop) as checked:
        assert await checker.check_next()
    await call_unreachable(session)
    with count_statements(shop) as shown:
        found = (await shop.quality.assess()).issues

    is_postgres = shop.settings.database.url.startswith("postgresql")
    assert (checked.total, shown.total) == (5 + is_postgres, 12)
    reasons = [each.reason for each in found]
    assert reasons.count(QualityReason.UNREACHABLE_PICTURE) == pictures


async def test_nothing_is_shown_of_checks_that_have_ended(
    session: AsyncSession, database_url: str, clock: Clock, tmp_path: Any
) -> None:
    await create_tea(session, "/media/lost.png")
    await call_unreachable(session)

    off = create_app(settings_for(database_url, tmp_path), clock=clock)
    async with off.router.lifespan_context(off):
        issues = (await off.state.shop.quality.assess()).issues
    assert QualityReason.UNREACHABLE_PICTURE not in {each.reason for each in issues}


@pytest.mark.settings(pictures_checked_per_minute=600, run_worker=True)
async def test_a_worker_checks_by_itself(shop: Shop, session: AsyncSession) -> None:
    await create_tea(session, "/media/lost.png")

    async def find_failures() -> int:
        return sum(each.check_failures for each in await list_media(session))

    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not await find_failures():
            await asyncio.sleep(0.05)
    assert await find_failures() == 1

"""Sending notices: each once, again after a failure, given up in the open; and their texts."""

import asyncio
import re
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notice import ATTEMPTS_LIMIT, PAUSE_LIMIT, NoticeDraft, claim_notices, pause_after, queue_notice
from events.notices.sender import LEASE, NoticeSender
from events.notices.texts import VARIANTS, write_text
from events.shop import Shop
from gateways.notice import NoticeRefused, NoticeUnavailable
from models import DeviceToken, Notice, NoticeChannel, NoticeKind, NoticeStatus
from tests.conftest import Clock
from tests.factories.account import create_account
from tests.factories.token import create_sign_in
from tests.notices import KeptNotices, send_notices
from text.messages import LANGUAGES, choose_language, load_catalogue

PLACEHOLDER = re.compile(r"{(\w+)}")


async def queue(shop: Shop, clock: Clock, *, count: int = 1, key: str = "key", language: str = "en") -> None:
    async with shop.database.writes.begin() as session:
        for number in range(count):
            draft = NoticeDraft(
                f"{key} {number}",
                NoticeKind.PASSWORD_CHANGED,
                NoticeChannel.EMAIL,
                "mei@example.com",
                language=language,
            )
            await queue_notice(session, draft, now=clock())


async def read_notice(session: AsyncSession) -> Notice:
    notice = (await session.scalars(select(Notice))).one()
    await session.commit()
    return notice


async def test_a_notice_with_a_key_that_was_used_is_not_queued_again(shop: Shop, clock: Clock) -> None:
    for _ in range(2):
        await queue(shop, clock)

    assert [message.recipient for message in await send_notices(shop)] == ["mei@example.com"]
    assert await send_notices(shop) == []


async def test_what_a_gateway_cannot_take_is_tried_again_later_each_time(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    await queue(shop, clock)
    gateway = KeptNotices(failures=[NoticeUnavailable("HTTP 503")] * 2)

    assert await send_notices(shop, gateway) == []
    assert (await read_notice(session)).failure == "HTTP 503"
    clock.tick(timedelta(seconds=10))
    assert await send_notices(shop, gateway) == []
    clock.tick(timedelta(seconds=19))
    assert await send_notices(shop, gateway) == []
    clock.tick(timedelta(seconds=1))

    assert [message.id for message in await send_notices(shop, gateway)] == ["notice-1"]
    notice = await read_notice(session)
    assert (notice.status, notice.attempts, notice.sent_at, notice.due_at) == (
        NoticeStatus.SENT,
        3,
        clock(),
        None,
    )


def test_the_pauses_double_up_to_two_hours() -> None:
    pauses = [pause_after(attempts) for attempts in range(1, ATTEMPTS_LIMIT)]
    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (10, 20, 40, 80)]
    assert pauses[-1] == PAUSE_LIMIT
    assert timedelta(hours=4) < sum(pauses, timedelta()) < timedelta(hours=10)


async def test_a_notice_is_given_up_after_its_last_attempt_and_the_log_says_so(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    await queue(shop, clock)
    gateway = KeptNotices(failures=[NoticeUnavailable("HTTP 503")] * ATTEMPTS_LIMIT)
    with structlog.testing.capture_logs() as logs:
        for _ in range(ATTEMPTS_LIMIT + 2):
            await send_notices(shop, gateway)
            clock.tick(PAUSE_LIMIT)

    notice = await read_notice(session)
    assert (notice.status, notice.attempts) == (NoticeStatus.FAILED, ATTEMPTS_LIMIT)
    (given_up,) = [line for line in logs if line["event"] == "notice.given_up"]
    assert (given_up["log_level"], given_up["notice"], given_up["failure"]) == ("error", 1, "HTTP 503")
    assert "mei@example.com" not in str(logs)


async def test_a_refused_notice_and_one_without_a_gateway_are_given_up_at_once(
    shop: Shop, clock: Clock, session: AsyncSession
) -> None:
    await queue(shop, clock)
    await send_notices(shop, KeptNotices(failures=[NoticeRefused("SMTP 550")]))
    await queue(shop, clock, key="second")
    shop.notices = {}
    await NoticeSender(shop).run_once()

    found = await session.execute(select(Notice.status, Notice.failure).order_by(Notice.id))
    assert found.all() == [
        (NoticeStatus.FAILED, "SMTP 550"),
        (NoticeStatus.FAILED, "no gateway for EMAIL"),
    ]


async def test_a_device_that_is_gone_is_forgotten(shop: Shop, clock: Clock, session: AsyncSession) -> None:
    account = await create_account(session)
    sign_in = create_sign_in(account, family="phone", now=clock())
    session.add(sign_in)
    await session.flush()
    session.add(
        DeviceToken(sign_in_id=sign_in.id, account_id=account.id, token="device-1", created_at=clock())
    )
    draft = NoticeDraft(
        "key", NoticeKind.PASSWORD_CHANGED, NoticeChannel.PUSH, "device-1", account_id=account.id
    )
    await queue_notice(session, draft, now=clock())
    await session.commit()

    await send_notices(shop, KeptNotices(failures=[NoticeRefused("HTTP 410", recipient_gone=True)]))

    assert (await session.scalars(select(DeviceToken))).all() == []


async def test_two_senders_at_once_send_each_notice_once(shop: Shop, clock: Clock) -> None:
    await queue(shop, clock, count=50)
    gateway = KeptNotices()
    shop.notices = dict.fromkeys(NoticeChannel, gateway)
    senders = [NoticeSender(shop) for _ in range(2)]
    del shop.on_commit[-2:]

    async def send_all(sender: NoticeSender) -> None:
        while await sender.run_once():
            pass

    await asyncio.gather(*map(send_all, senders))

    assert sorted(int(message.id[7:]) for message in gateway.messages) == list(range(1, 51))


async def test_what_a_killed_worker_had_claimed_is_sent_by_another_after_its_lease_with_the_same_id(
    shop: Shop, clock: Clock
) -> None:
    await queue(shop, clock)
    async with shop.database.writes.begin() as session:
        assert len(await claim_notices(session, now=clock(), lease=LEASE, limit=10)) == 1

    assert await send_notices(shop) == []
    clock.tick(LEASE)

    assert [message.id for message in await send_notices(shop)] == ["notice-1"]


async def test_a_notice_is_written_in_the_language_of_the_reader(shop: Shop, clock: Clock) -> None:
    await queue(shop, clock, language="zh-TW")

    (message,) = await send_notices(shop)

    assert (message.language, message.title) == ("zh", "密码已更改")


@pytest.mark.parametrize(
    ("preferred", "language"),
    [
        (("zh-CN", "en"), "zh"),
        ((None, "en-GB"), "en"),
        (("fr", "zh"), "zh"),
        (("fr", "de"), "en"),
        ((), "en"),
    ],
)
def test_the_first_language_that_has_texts_is_chosen(
    preferred: tuple[str | None, ...], language: str
) -> None:
    assert choose_language(*preferred) == language


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_kind_of_notice_has_a_title_and_a_body_in_every_language(
    language: str,
) -> None:
    names = [*(kind.value for kind in NoticeKind), *VARIANTS]
    catalogue = load_catalogue(language)

    assert all(catalogue.get(f"{name}.{part}") for name in names for part in ("title", "body"))


def test_a_text_without_its_facts_is_an_error_and_not_half_a_sentence() -> None:
    with pytest.raises(KeyError, match="number"):
        write_text(NoticeKind.ORDER_CONFIRMED, "en", {"shop": "Cartwheel"})

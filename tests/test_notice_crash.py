"""A worker is killed while it sends notices: another one sends what is left, and what was sent once."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from app import open_shop, utc_now
from domain.notice import NoticeDraft, queue_notice
from events.notices.sender import LEASE, NoticeSender
from events.shop import Shop
from models import Notice, NoticeChannel, NoticeKind, NoticeStatus
from settings import Settings
from tests.mail_server import MailServer
from tests.observe import wait_until
from tests.process import process_environment, serve_shop

NOTICES = 12


def settings_of(env: dict[str, str]) -> Settings:
    names = ("DATABASE_URL", "SECRET_KEY", "SMTP_HOST", "SMTP_PORT", "SMTP_SECURITY", "MAIL_FROM")
    overrides: dict[str, object] = {name.lower(): env[name] for name in names}
    return Settings.from_environment(env_file=None, **overrides)


def environment_for(url: str, tmp_path: Path, server: MailServer) -> dict[str, str]:
    return process_environment(
        url,
        tmp_path,
        SMTP_HOST="127.0.0.1",
        SMTP_PORT=str(server.port),
        SMTP_SECURITY="none",
        MAIL_FROM="no-reply@shop.example",
        RUN_WORKER="true",
    )


async def queue_notices(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        for number in range(NOTICES):
            draft = NoticeDraft(
                f"key {number}", NoticeKind.PASSWORD_CHANGED, NoticeChannel.EMAIL, f"{number}@example.com"
            )
            await queue_notice(session, draft, now=utc_now())


async def sent_ids(shop: Shop) -> set[str]:
    async with shop.database.reads() as session:
        ids = await session.scalars(select(Notice.id).where(Notice.status == NoticeStatus.SENT))
        return {f"<notice-{each}@shop.example>" for each in ids}


def ids_of(server: MailServer) -> list[str]:
    return [str(mail["Message-ID"]) for _, mail in server.mails]


async def test_after_kill_9_every_notice_is_sent_and_none_that_was_marked_is_sent_again(
    new_sqlite_url: str, tmp_path: Path
) -> None:
    async with MailServer(answers_limit=5).running() as first, MailServer().running() as second:
        env = environment_for(new_sqlite_url, tmp_path, first)
        later = environment_for(new_sqlite_url, tmp_path, second)
        shop = open_shop(settings_of(later), clock=lambda: utc_now() + LEASE + timedelta(seconds=1))
        try:
            await queue_notices(shop)
            async with serve_shop(env, tmp_path / "first.log") as process:
                await wait_until(lambda: len(first.mails) == NOTICES)
                process.kill()
            marked = await sent_ids(shop)

            while await NoticeSender(shop).run_once():
                pass

            assert len(marked) <= 5
            assert set(ids_of(second)) == set(ids_of(first)) - marked
            assert len(ids_of(second)) == NOTICES - len(marked)
            assert len(await sent_ids(shop)) == NOTICES
        finally:
            await shop.close()

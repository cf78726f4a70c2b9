"""What made notices unique is deleted once no provider sends them again."""

from collections.abc import Sequence

from domain.payment import delete_notifications, select_old_notifications
from events.types import Resources, Timer


async def delete_old_notifications(resources: Resources, nonces: Sequence[str]) -> int:
    async with resources.database.writes.begin() as session:
        await delete_notifications(session, nonces, now=resources.clock())
    return len(nonces)


async def delete_old_notification(resources: Resources, nonce: str) -> None:
    await delete_old_notifications(resources, [nonce])


OLD_NOTIFICATIONS = Timer(
    "payment_notifications.old",
    due=select_old_notifications,
    act=delete_old_notification,
    act_on_group=delete_old_notifications,
)

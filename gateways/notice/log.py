"""Notices in the log, for development: the only place where a one-time code may stand in a log."""

import structlog

from gateways.notice import NoticeMessage

log = structlog.get_logger()


class LogNotices:
    async def send(self, message: NoticeMessage) -> None:
        log.info(
            "notice.logged",
            channel=message.channel.value,
            recipient=message.recipient,
            title=message.title,
            body=message.body,
        )

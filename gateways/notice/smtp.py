"""Notices by e-mail (SMTP, RFC 5321)."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime

import aiosmtplib
from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from gateways.notice import NoticeMessage, NoticeRefused, NoticeUnavailable
from settings.notices import NoticeSettings, SmtpSecurity

TIMEOUT_SECONDS = 20.0
PERMANENT = range(500, 600)
"""SMTP replies after which trying again is of no use (RFC 5321, 4.2.1)."""


class SmtpNotices:
    """One connection for each message; the server that takes it queues and retries by itself."""

    def __init__(self, settings: NoticeSettings, shop_name: str) -> None:
        self.settings = settings
        self.shop_name = shop_name

    async def send(self, message: NoticeMessage) -> None:
        mail = self.write_mail(message)
        try:
            await aiosmtplib.send(
                mail,
                recipients=[message.recipient],
                hostname=self.settings.smtp_host,
                port=self.settings.smtp_port,
                username=self.settings.smtp_user or None,
                password=self.settings.smtp_password.get_secret_value() or None,
                use_tls=self.settings.smtp_security is SmtpSecurity.TLS,
                start_tls=self.settings.smtp_security is SmtpSecurity.STARTTLS,
                timeout=TIMEOUT_SECONDS,
            )
        except SMTPRecipientsRefused as error:
            raise self.failure([refused.code for refused in error.recipients]) from None
        except SMTPResponseException as error:
            raise self.failure([error.code]) from None
        except (SMTPException, OSError) as error:
            raise NoticeUnavailable(type(error).__name__) from None

    def write_mail(self, message: NoticeMessage) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = Address(self.shop_name, addr_spec=self.settings.mail_from)
        mail["To"] = message.recipient
        mail["Subject"] = message.title
        mail["Date"] = format_datetime(localtime())
        mail["Message-ID"] = f"<{message.id}@{self.settings.mail_from.partition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to it
        mail.set_content(f"{message.body}\n\n{self.shop_name}\n")
        mail["Content-Language"] = message.language
        return mail

    def failure(self, codes: list[int]) -> NoticeRefused | NoticeUnavailable:
        """What a server's reply means; its text is left out, since it may quote the address."""
        reason = "SMTP " + ", ".join(map(str, codes))
        return (
            NoticeRefused(reason) if all(code in PERMANENT for code in codes) else NoticeUnavailable(reason)
        )

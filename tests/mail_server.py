"""An SMTP server of ours (RFC 5321), as far as the shop talks to one."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class MailServer:
    """An SMTP server that takes mail, or answers one command as it is told."""

    replies: dict[str, str] = field(default_factory=dict)
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    answers_limit: int | None = None
    """Mails it says it has taken; to the others it never answers."""
    port: int = 0
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    talks: "set[asyncio.Task[None]]" = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["MailServer"]:
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            try:
                yield self
            finally:
                self.closing.set()
                await asyncio.gather(*self.talks, return_exceptions=True)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.talks.add(task)
        try:
            await self.talk(reader, writer)
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(verb: str, usual: str) -> None:
            writer.write(f"{self.replies.get(verb, usual)}\r\n".encode())

        say("CONNECT", "220 mail.test")
        recipient = ""
        while line := (await reader.readline()).decode().strip():
            verb = line.partition(" ")[0].upper()
            if verb == "RCPT":
                recipient = line[line.index("<") + 1 : line.index(">")]
            say(verb, "354 go on" if verb == "DATA" else "221 bye" if verb == "QUIT" else "250 ok")
            if verb == "DATA" and "DATA" not in self.replies:
                data = await reader.readuntil(b"\r\n.\r\n")
                mail = email.message_from_bytes(data[:-5], policy=email.policy.default)
                assert isinstance(mail, EmailMessage)
                self.mails.append((recipient, mail))
                if self.answers_limit is not None and len(self.mails) > self.answers_limit:
                    await self.closing.wait()
                    return
                say("MAIL_DATA", "250 taken")
            if verb == "QUIT":
                break

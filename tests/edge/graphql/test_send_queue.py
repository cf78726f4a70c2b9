"""What waits for a client is bounded, and a client that does not read is told from where to go on."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from graphql import GraphQLError

from edge.graphql.answer import Answer, OperationFailed
from edge.graphql.messages import SocketFormat
from edge.graphql.running import queue_answers
from edge.graphql.send_queue import ReaderTooSlow, SendLimits, SendQueue
from edge.graphql.sse import EventFormat
from models import CurrencyCode
from resolvers.context import Viewer

VIEWER = Viewer(language="en", currency=CurrencyCode.CNY)
LIMITS = SendLimits(size=10, patience=0.02, send_timeout=0.05)


async def read_nothing(message: bytes) -> None:
    await asyncio.Event().wait()


async def test_messages_are_sent_in_order_and_the_queue_ends_behind_them() -> None:
    queue, sent = SendQueue(LIMITS), []

    async def send(message: bytes) -> None:
        sent.append(message)

    for message in (b"a", b"b"):
        await queue.put(message)
    queue.end()
    await queue.put(b"too late")
    await queue.run(send)

    assert sent == [b"a", b"b"]


async def test_a_message_waits_for_room_and_not_for_ever() -> None:
    queue = SendQueue(LIMITS)
    await queue.put(b"x" * 10)
    with pytest.raises(ReaderTooSlow):
        await queue.put(b"y")

    assert (queue.size, list(queue.messages)) == (10, [b"x" * 10])


async def test_a_client_that_takes_no_message_in_time_is_given_up() -> None:
    queue = SendQueue(LIMITS)
    await queue.put(b"x")
    with pytest.raises(TimeoutError):
        await queue.run(read_nothing)


async def test_at_shutdown_a_client_that_does_not_read_is_given_up_at_once() -> None:
    queue = SendQueue(SendLimits(size=10, patience=60, send_timeout=60))
    await queue.put(b"x")
    sending = asyncio.create_task(queue.run(read_nothing))
    while queue.sending is None:
        await asyncio.sleep(0)
    queue.give_up()
    with pytest.raises(TimeoutError):
        await sending


async def test_a_quiet_connection_is_kept_open() -> None:
    queue, sent = SendQueue(LIMITS), []

    async def send(message: bytes) -> None:
        sent.append(message)
        if len(sent) == 2:
            queue.end()

    await queue.run(send, idle=0.001, keep_alive=b":\n\n")

    assert sent == [b":\n\n", b":\n\n"]


async def test_a_subscription_ends_with_the_last_version_that_its_client_gets() -> None:
    async def answers() -> AsyncGenerator[Answer]:
        for version in range(5, 100):
            yield Answer(b"{}", version=version)

    for form in (SocketFormat("1"), EventFormat()):
        queue = SendQueue(LIMITS)
        ending = await queue_answers(answers(), queue, form, VIEWER)

        last = 4 + len(queue.messages)
        assert queue.size < 10 + 100
        assert b"RESUME_FROM_VERSION" in ending
        assert f'"version":{last}'.encode() in ending


async def test_a_failure_on_our_side_ends_an_operation_without_its_words() -> None:
    async def answers() -> AsyncGenerator[Answer]:
        yield Answer(b"{}")
        raise ValueError("a secret")

    queue = SendQueue(SendLimits(size=1_000, patience=1, send_timeout=1))
    ending = await queue_answers(answers(), queue, SocketFormat("1"), VIEWER)

    assert b"INTERNAL" in ending
    assert b"secret" not in ending


async def test_a_refusal_ends_an_operation_with_its_errors() -> None:
    async def answers() -> AsyncGenerator[Answer]:
        raise OperationFailed([GraphQLError("No.")])
        yield

    ending = await queue_answers(answers(), SendQueue(LIMITS), SocketFormat("1"), VIEWER)

    assert ending == b'{"id":"1","type":"error","payload":[{"message":"No."}]}'

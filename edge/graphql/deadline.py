"""Stopping an operation: its tasks, its batches and its SQL, but never a commit."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from edge.graphql.answer import OperationFailed
from resolvers.execution import Execution
from text.messages import Message

T = TypeVar("T")

STOP_SECONDS = 10.0
"""How long is waited for a cancelled operation, which returns its connections to the pool meanwhile."""


async def run_within(seconds: float, work: Coroutine[object, object, T], execution: Execution) -> T:
    """Return the result of `work`; OperationFailed when it takes longer, or its answer becomes too large.

    Whether it ends late or by cancellation: when this returns, nothing of it runs any more.
    """
    task = asyncio.create_task(work)
    execution.stop = task.cancel
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            await stop_task(task, execution)
    if execution.answer_exceeded:
        execution.batches.cancel()
        raise answer_too_large(execution.answer_limit)
    if task.cancelled():
        raise OperationFailed.of(
            Message("This took longer than {seconds} seconds and was stopped.", seconds=seconds),
            "DEADLINE_EXCEEDED",
            503,
        )
    return task.result()


async def stop_task(task: "asyncio.Task[T]", execution: Execution) -> None:
    """Cancel an operation as soon as no transaction of it is being committed, and wait for its end."""
    await execution.wait_for_commits()
    task.cancel()
    ending = {task, *execution.batches.cancel()}
    _, late = await asyncio.wait(ending, timeout=STOP_SECONDS)
    for each in ending - late:
        if not each.cancelled():
            each.exception()  # retrieved, so that it is not reported as forgotten


def answer_too_large(limit: int | None) -> OperationFailed:
    message = Message("The answer is larger than {limit} bytes: ask for fewer things at once.", limit=limit)
    return OperationFailed.of(message, "RESPONSE_TOO_LARGE", 400)

"""A line of the log says what has failed and where, in both formats, and no value of a local variable."""

import asyncio
import io
import logging
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from edge.logs import build_renderers, logged_loop_failures
from settings import Settings
from tests.observe import wait_until

SECRET = "mark-4711"


def fail(password: str) -> None:
    raise ValueError(password)


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_failure_is_logged_with_its_place_and_without_values(log_format: str) -> None:
    settings = Settings.from_environment(env_file=None, log_format=log_format)
    written = io.StringIO()
    logger = structlog.wrap_logger(structlog.PrintLogger(written), processors=build_renderers(settings))
    try:
        fail(SECRET)
    except ValueError:
        logger.error("it.failed", number=7, exc_info=True)

    line = written.getvalue()
    assert SECRET not in line
    for part in ("it.failed", "7", "in fail", "ValueError", "test_logs.py"):
        assert part in line


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_what_libraries_log_has_no_values_either(log_format: str) -> None:
    settings = Settings.from_environment(env_file=None, log_format=log_format)
    processors: Any = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *build_renderers(settings)]
    formatter = structlog.stdlib.ProcessorFormatter(processors=processors)
    with pytest.raises(ValueError, match=SECRET) as raised:
        fail(SECRET)
    info = (raised.type, raised.value, raised.tb)
    record = logging.LogRecord("uvicorn.error", logging.ERROR, __file__, 1, "Exception in ASGI", (), info)

    line = formatter.format(record)

    assert SECRET not in line
    assert "ValueError" in line
    assert "in fail" in line


async def test_a_task_that_nobody_waits_for_is_logged_without_the_message_of_its_error() -> None:
    async def fail_unwatched() -> None:
        fail(SECRET)

    with capture_logs() as logs, logged_loop_failures():
        task = asyncio.create_task(fail_unwatched())
        await asyncio.wait({task})
        del task
        await wait_until(lambda: logs)

    [line] = logs
    assert (line["event"], line["reason"]) == ("loop.failed", "Task exception was never retrieved")
    assert isinstance(line["exc_info"], ValueError)

"""The log of slow operations: what took long, with the plan of its slowest statement.

Neither arguments of operations nor parameters of statements are ever logged. The plan is the general one,
which the database makes without knowing the parameters; nothing is executed for it.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic

import structlog

from gateways.failures import describe_failure
from gateways.metrics import TimedStatement, Usage
from models.database import Database
from models.sql.plans import explain_statement

log = structlog.get_logger()

TEXT_LIMIT = 2_000
"""Characters of a statement that are logged."""

PLAN_EVERY_SECONDS = 10.0
"""How often at most a process asks for a plan: the log must not slow a slow database down."""

PLAN_SECONDS = 5.0
LINES_EVERY_SECONDS = 1.0
LINES_LIMIT = 20
"""Slow operations that are logged within LINES_EVERY_SECONDS; further ones are in the metrics only."""


@dataclass(slots=True)
class SlowOperations:
    """Logs the operations of a process that took longer than `threshold`."""

    database: Database
    threshold: timedelta
    next_plan_at: float = 0.0
    lines_since: float = 0.0
    lines: int = 0
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def note(self, usage: Usage, *, seconds: float, operation: str, document: str) -> None:
        """Log the operation if it was slow; the plan follows when the request has been answered."""
        if seconds < self.threshold.total_seconds() or not self.may_log():
            return
        sha256 = hashlib.sha256(document.encode()).hexdigest()
        log.warning(
            "operation.slow",
            operation=operation,
            sha256=sha256,
            ms=milliseconds(seconds),
            statements=usage.statements,
            sql_ms=milliseconds(usage.statement_seconds),
            slowest=[describe_statement(each) for each in usage.slowest],
        )
        now = monotonic()
        if usage.slowest and now >= self.next_plan_at:
            self.next_plan_at = now + PLAN_EVERY_SECONDS
            task = asyncio.get_running_loop().create_task(self.log_plan(usage.slowest[0], operation, sha256))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def may_log(self) -> bool:
        now = monotonic()
        if now - self.lines_since > LINES_EVERY_SECONDS:
            self.lines_since, self.lines = now, 0
        self.lines += 1
        return self.lines <= LINES_LIMIT

    async def log_plan(self, statement: TimedStatement, operation: str, sha256: str) -> None:
        try:
            async with asyncio.timeout(PLAN_SECONDS):
                plan = await explain_statement(self.database, statement.text, parameters=statement.parameters)
        except Exception as error:
            log.warning("operation.plan_failed", operation=operation, error=describe_failure(error))
            return
        log.warning(
            "operation.plan",
            operation=operation,
            sha256=sha256,
            statement=statement.text[:TEXT_LIMIT],
            plan=plan,
        )

    async def close(self) -> None:
        """Wait for the plan that is being asked for."""
        await asyncio.gather(*self.tasks, return_exceptions=True)


def describe_statement(statement: TimedStatement) -> dict[str, object]:
    return {
        "ms": milliseconds(statement.seconds),
        "text": statement.text[:TEXT_LIMIT],
        "parameters": statement.parameters,
    }


def milliseconds(seconds: float) -> float:
    return round(seconds * 1_000, 1)

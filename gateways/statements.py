"""Each SQL statement of a process is timed, counted for the operation that sent it, and traced."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

from gateways.metrics import USAGE, Metrics, TimedStatement
from gateways.tracing import Span, Tracer
from models.database import Database
from models.sql.prepared import DirectExecution

TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
TEXT_LIMIT = 2_000
"""Characters of a statement that a span shows."""

Execution = ExecutionContext | DirectExecution


@dataclass(slots=True)
class RunningStatement:
    """A statement that was sent and not answered yet."""

    began: float
    span: Span | None


class StatementWatch:
    """Listens to the engines of a database (https://docs.sqlalchemy.org/en/21/core/events.html)."""

    def __init__(self, database: Database, metrics: Metrics, tracer: Tracer | None) -> None:
        self.metrics = metrics
        self.tracer = tracer
        self.system = database.dialect
        self.running: WeakKeyDictionary[object, RunningStatement] = WeakKeyDictionary()
        """By its execution."""
        self.engines = {engine.sync_engine for engine in (database.readers, database.writers)}
        self.listeners: dict[str, Callable[..., None]] = {
            "before_cursor_execute": self.begin,
            "after_cursor_execute": self.finish,
            "handle_error": self.fail,
        }
        for engine in self.engines:
            for name, listener in self.listeners.items():
                event.listen(engine, name, listener)

    async def close(self) -> None:
        """Listen no more: a database may outlive the shop."""
        for engine in self.engines:
            for name, listener in self.listeners.items():
                event.remove(engine, name, listener)

    def begin(
        self,
        connection: Connection | None,
        cursor: DBAPICursor | None,
        statement: str,
        parameters: object,
        context: Execution | None,
        executemany: bool,
    ) -> None:
        if context is None or statement.startswith(TRANSACTION_CONTROL):
            return
        span = None
        if self.tracer:
            attributes = {"db.system.name": self.system, "db.query.text": statement[:TEXT_LIMIT]}
            span = self.tracer.start_child(statement.split(None, 1)[0], attributes)
        self.running[context] = RunningStatement(perf_counter(), span)

    def finish(
        self,
        connection: Connection | None,
        cursor: DBAPICursor | None,
        statement: str,
        parameters: object,
        context: Execution | None,
        executemany: bool,
    ) -> None:
        if isinstance(context, DirectExecution) and context.error:
            self.note_failure(context, context.error)
        elif context is not None and (running := self.running.pop(context, None)):
            seconds = perf_counter() - running.began
            self.metrics.statements.add(seconds)
            if usage := USAGE.get():
                usage.add_statement(TimedStatement(statement, count_parameters(parameters), seconds))
            if running.span:
                running.span.end()

    def fail(self, failure: ExceptionContext) -> None:
        self.note_failure(failure.execution_context, failure.original_exception)

    def note_failure(self, context: object, error: BaseException | None) -> None:
        # an error without an execution: what ran was cancelled before the driver had the statement
        if context is not None and (running := self.running.pop(context, None)):
            self.metrics.statement_errors += 1
            self.metrics.statements.add(perf_counter() - running.began)
            if running.span:
                running.span.fail(type(error).__name__)
                running.span.end()


def count_parameters(parameters: object) -> int:
    """How many values a statement was given; of one of many executions of it."""
    if isinstance(parameters, list) and parameters and isinstance(parameters[0], tuple | list | dict):
        return len(parameters[0])
    return len(parameters) if isinstance(parameters, tuple | list | dict) else 0

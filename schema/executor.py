"""The executor of operations: Strawberry's, which also counts how large the answer becomes."""

from collections.abc import AsyncIterable
from inspect import isawaitable
from typing import cast

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLLeafType, GraphQLSchema
from graphql.execution import Executor, create_source_event_stream
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.context import Context


class CountingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Counts each value of the answer; what is above the limit of the answer is left out.

    The operation is stopped then (`Execution.stop`), so that nobody sees such an answer.
    """

    def complete_leaf_value(self, return_type: GraphQLLeafType, result: object) -> object:  # type: ignore[override]
        value = super().complete_leaf_value(return_type, result)
        return value if self.context_value.execution.add_leaf(value) else ""


class EventStream:
    """What a subscription follows: its events, and the answer to each."""

    def __init__(self, executor: Executor[object], events: AsyncIterable[object]) -> None:
        self.executor = executor
        self.events = events

    async def answer_event(self, event: object) -> ExecutionResult:
        """Execute the selection of the subscription for one event."""
        result = self.executor.build_per_event_executor(event).execute_operation(False)
        return cast("ExecutionResult", await result if isawaitable(result) else result)


async def open_event_stream(
    schema: GraphQLSchema,
    document: DocumentNode,
    *,
    variables: dict[str, object] | None,
    operation_name: str | None,
    context: Context,
) -> EventStream | list[GraphQLError]:
    """The events of a subscription, or the errors why there are none. The document is valid."""
    executor = CountingExecutor.build(
        schema,
        document,
        context_value=context,
        raw_variable_values=variables,
        operation_name=operation_name,
    )
    if isinstance(executor, list):
        return executor
    created = create_source_event_stream(executor)
    events = await created if isawaitable(created) else created
    if isinstance(events, ExecutionResult):
        return list(events.errors or ())
    return EventStream(executor, events)

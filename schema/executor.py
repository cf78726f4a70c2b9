"""The executor of operations: Strawberry's, which also counts how large the answer becomes."""

from collections.abc import AsyncIterable
from inspect import isawaitable
from typing import cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from graphql.execution import Executor, create_source_event_stream
from graphql.execution.collect_fields import DeferUsage, FieldDetailsList
from graphql.execution.incremental.incremental_executor import DeliveryGroup
from graphql.pyutils import Path, RefMap
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.context import Context
from schema.direct_fields import DirectField, direct_field_of


class CountingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Counts each value of the answer; what is above the limit of the answer is left out.

    The operation is stopped then (`Execution.stop`), so that nobody sees such an answer.
    """

    def complete_leaf_value(self, return_type: GraphQLLeafType, result: object) -> object:  # type: ignore[override]
        value = super().complete_leaf_value(return_type, result)
        return value if self.context_value.execution.add_leaf(value) else ""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: RefMap[DeferUsage, DeliveryGroup] | None,
    ) -> object:
        """The value of a field. One that is read from its row takes a quarter of the time of any other.

        Whatever is unusual about it (an error, a null that may not be) is left to the ordinary way, which
        reads it again.
        """
        direct = direct_field_of(parent_type, field_details_list[0].node.name.value)
        if direct is not None:
            value = self.read_directly(direct, source, path)
            if value is None and direct.nullable:
                return None
            if value is not Undefined and value is not None:
                return value if self.context_value.execution.add_leaf(value) else ""
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def read_directly(self, direct: DirectField, source: object, path: Path) -> object:
        """What a direct field shows; Undefined where it failed, so that the ordinary way tells the error."""
        try:
            if direct.privacy is not None:
                direct.privacy.admit(source, self.context_value)
            if direct.read_for is None:
                value = direct.read(source)
            else:
                value = direct.read_for(source, self.context_value.viewer_below(path))
            if value is None:
                return None
            coerced = direct.coerce(value)
            return Undefined if coerced is None else coerced
        except Exception:
            return Undefined


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

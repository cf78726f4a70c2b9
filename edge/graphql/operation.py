"""The one way from a request to its answers: find the document, parse, check, validate, execute.

Every transport uses it, so that a limit holds over HTTP, WebSocket and event streams alike.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode, OperationType, get_operation_ast
from strawberry.types import ExecutionResult

from domain.account import SignInPlace
from edge.graphql.answer import Answer, OperationFailed, encode_result
from edge.graphql.deadline import answer_too_large, run_within
from edge.graphql.measuring import MeasuredOperation, count_invalid, describe_operation, measure_operation
from edge.graphql.request import GraphQLRequest, RequestRefused
from edge.graphql.sharing import answer_key, selection_of
from edge.persisted_operations import PersistedOperations, requested_hash
from events.shop import Shop
from gateways.tracing import open_root_span
from resolvers.context import Context, Viewer
from resolvers.cost import Charge, charge_viewer, take_for_reading
from resolvers.errors import SentenceError
from schema.compiled_documents import LimitedDocument
from schema.executor import EventStream, open_event_stream
from schema.limits.refusals import RATE_LIMITED, TOO_COSTLY, OperationRefused
from schema.limits.text import VALUE_PRICE, count_values
from schema.shop import ShopSchema, mask_errors
from text.messages import Message


@dataclass(frozen=True, slots=True)
class PreparedOperation:
    """A valid operation that may be executed, and is paid for."""

    request: GraphQLRequest
    document: DocumentNode
    node: OperationDefinitionNode
    charge: Charge
    began: float
    """When it was begun to be prepared, in seconds of `perf_counter`."""

    @property
    def type(self) -> OperationType:
        return self.node.operation


@dataclass(frozen=True, slots=True)
class Operations:
    """Prepares and executes the operations of all transports."""

    schema: ShopSchema
    shop: Shop
    persisted: PersistedOperations
    unfinished: "set[asyncio.Task[Answer]]" = field(default_factory=set)
    """Mutations that are executed to their end, whether or not their client still waits."""
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a document is parsed and validated, which occupies the event loop."""

    @property
    def deadline(self) -> float:
        return self.shop.settings.graphql.deadline.total_seconds()

    async def find_document(self, request: GraphQLRequest) -> GraphQLRequest:
        """The request with the document that its hash stands for, if it names one.

        PersistedOperationRefused for an unknown one, and for what the shop does not execute.
        """
        text = await self.persisted.find_document(request.query, request.extensions)
        return replace(request, query=text)

    async def prepare(self, request: GraphQLRequest, viewer: Viewer, place: SignInPlace) -> PreparedOperation:
        """Parse, choose the operation, take what it costs from the viewer's bucket, validate.

        OperationFailed when it cannot be executed, RequestRefused where there is nothing to parse. The limits
        come before the validation, which takes longer and so sees bounded documents only.
        """
        if not request.query.strip():
            raise RequestRefused(Message("No GraphQL query found in the request"))
        began = perf_counter()
        with count_invalid(self.shop, request.query, began=began):
            document, node, charge = await self.check(request, viewer, place)
        return PreparedOperation(request, document.node, node, charge, began)

    async def check(
        self, request: GraphQLRequest, viewer: Viewer, place: SignInPlace
    ) -> tuple[LimitedDocument, OperationDefinitionNode, Charge]:
        """The valid document of a request, its operation, and what the viewer has paid for it.

        Documents that are not known are read one after the other, and others are served between two of them.
        """
        is_known = self.schema.documents.get(request.query) is not None
        try:
            if not is_known:
                await charge_reading(self.shop, viewer, place.address, request.query)
            async with self.take_turn(is_known):
                document, node, cost = self.read_operation(request)
        except GraphQLError as error:
            raise self.describe_failure([error]) from error
        charge = await charge_viewer(self.shop, viewer, place.address, cost)
        try:
            check_charge(charge)
            async with self.take_turn(is_known):
                self.validate(request.query, document, charge)
        except OperationRefused as refused:
            raise self.describe_failure([refused], charge=charge) from refused
        return document, node, charge

    @asynccontextmanager
    async def take_turn(self, is_known: bool) -> AsyncIterator[None]:
        """Wait until no other unknown document is being read, and let others be served in between."""
        if is_known:
            yield
            return
        async with self.reading:
            await asyncio.sleep(0)
            yield

    def read_operation(self, request: GraphQLRequest) -> tuple[LimitedDocument, OperationDefinitionNode, int]:
        """The document of a request, the operation chosen from it and what it costs; raises GraphQLError."""
        document = self.schema.documents.read(request.query)
        values = count_values(request.variables)
        node = choose_operation(document.node, request.operation_name)
        weight = document.operations[node.name.value if node.name else None]
        return document, node, weight.cost(request.variables) + int(values * VALUE_PRICE)

    def validate(self, text: str, document: LimitedDocument, charge: Charge) -> None:
        """OperationFailed for a document that shows the schema where it is hidden, or breaks a rule."""
        shows_schema = self.shop.settings.shows_schema
        errors = [] if shows_schema else self.schema.find_introspection(text, document.node)
        errors = errors or self.schema.documents.validate(text, document, suggest=shows_schema)
        if errors:
            raise self.describe_failure(errors, charge=charge)

    async def save_document(self, request: GraphQLRequest) -> None:
        """Save a valid document by its hash, where the request names it."""
        if sha256 := requested_hash(request.extensions):
            await self.persisted.save(sha256, request.query)

    async def execute(self, prepared: PreparedOperation, context: Context) -> Answer:
        """Execute a query or mutation; OperationFailed at the deadline.

        Cancelled, a query stops; a mutation goes on until it is done, so that nothing is left half done.
        """
        context.execution.answer_limit = self.shop.settings.graphql.answer_bytes
        work = self.run_once(prepared, context)
        if prepared.type is OperationType.QUERY:
            return await work
        task = asyncio.create_task(work)
        self.unfinished.add(task)
        task.add_done_callback(self.forget_task)
        return await asyncio.shield(task)

    def forget_task(self, task: "asyncio.Task[Answer]") -> None:
        self.unfinished.discard(task)
        if not task.cancelled():
            task.exception()

    async def run_once(self, prepared: PreparedOperation, context: Context) -> Answer:
        request = prepared.request
        work = self.schema.execute(
            request.query,
            variable_values=request.variables,
            context_value=context,
            operation_name=request.operation_name,
            operation_extensions=request.extensions,
        )
        with self.measure(prepared) as measured:
            result = await run_within(self.deadline, work, context.execution)
            await context.save_readings(name_of(prepared))
            measured.errors = result.errors or ()
            result.extensions = extend(result.extensions, prepared.charge, personal=not context.cacheable)
            return self.encode_answer(result)

    def measure(self, prepared: PreparedOperation) -> AbstractContextManager[MeasuredOperation]:
        """Measure an operation until the block ends."""
        names = self.shop.metrics.operation_names
        operation = describe_operation(self.schema._schema, prepared.document, prepared.node, names)
        operation.usage.cost = prepared.charge.requested
        return measure_operation(self.shop, operation, prepared.request.query, began=prepared.began)

    def encode_answer(self, result: ExecutionResult) -> Answer:
        """The answer that a result becomes; OperationFailed when nothing was executed, or it is too large."""
        if result.data is None and result.errors and all(not error.path for error in result.errors):
            raise OperationFailed(result.errors, extensions=result.extensions)
        body, limit = encode_result(result), self.shop.settings.graphql.answer_bytes
        if len(body) > limit:
            raise answer_too_large(limit)
        return Answer(body, has_errors=bool(result.errors))

    async def stream(self, prepared: PreparedOperation, context: Context) -> AsyncGenerator[Answer]:
        """The answers to an operation: one to a query or mutation, any number to a subscription.

        OperationFailed ends it where the operation cannot begin, or where one answer takes too long.
        """
        if prepared.type is not OperationType.SUBSCRIPTION:
            yield await self.execute(prepared, context)
            return
        with self.measure(prepared):
            async with aclosing(self.follow(prepared, context)) as answers:
                async for answer in answers:
                    yield answer

    async def follow(self, prepared: PreparedOperation, context: Context) -> AsyncGenerator[Answer]:
        """The answers to a subscription; watchers who wait for the same answer share one."""
        selected = selection_of(prepared.request, prepared.document, prepared.node)
        selection = selected, context.shop_address  # absolute URLs begin with it
        events = await self.open_events(prepared, context)
        iterator = aiter(events.events)
        try:
            async for event in iterator:
                render = partial(self.render_event, events, context, event, prepared)
                key = answer_key(selection, context.viewer, event)
                yield await self.shop.coalescer.share(key, render)
        except OperationFailed:
            raise
        except Exception as error:
            failed = (
                error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            )
            raise self.describe_failure([failed], context) from error
        finally:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()

    async def open_events(self, prepared: PreparedOperation, context: Context) -> EventStream:
        opened = await open_event_stream(
            self.schema._schema,
            prepared.document,
            variables=prepared.request.variables,
            operation_name=prepared.request.operation_name,
            context=context,
        )
        if isinstance(opened, list):
            raise self.describe_failure(opened, context)
        return opened

    async def render_event(
        self, events: EventStream, context: Context, event: object, prepared: PreparedOperation
    ) -> Answer:
        """The answer to one event of a subscription, executed and written as JSON.

        It depends on the selection with its variables, on the rights, language and currency of the viewer,
        and on the event, and on nothing of the connection.
        """
        context.execution.answer_size = 0
        context.execution.answer_limit = self.shop.settings.graphql.answer_bytes
        with open_root_span(self.shop.tracer, "subscription event"):
            result = await run_within(self.deadline, events.answer_event(event), context.execution)
        await context.save_readings(name_of(prepared))
        if result.errors:
            self.mask_errors(result.errors, context)
        extensions = extend(None, prepared.charge, personal=False)
        answer = self.encode_answer(ExecutionResult(result.data, result.errors, extensions))
        version = getattr(event, "version", None)
        return replace(answer, version=version if isinstance(version, int) else None)

    def describe_failure(
        self, errors: Sequence[GraphQLError], context: Context | None = None, charge: Charge | None = None
    ) -> OperationFailed:
        """Why an operation was not executed, or a subscription has ended, as a client may read it."""
        self.mask_errors(errors, context)
        status = errors[0].status if isinstance(errors[0], OperationRefused) else None
        return OperationFailed(errors, status, extend(None, charge, personal=True) if charge else None)

    def mask_errors(self, errors: Sequence[GraphQLError], context: Context | None) -> None:
        mask_errors(errors, context, suggest=self.shop.settings.shows_schema)

    async def finish(self) -> None:
        """Wait for the mutations whose clients have gone; each ends by its deadline."""
        while self.unfinished:
            await asyncio.wait(set(self.unfinished))


def name_of(prepared: PreparedOperation) -> str:
    """The name of an operation; empty where it has none."""
    return prepared.node.name.value if prepared.node.name else ""


async def charge_reading(shop: Shop, viewer: Viewer, address: str, text: str) -> None:
    """Take what parsing and validating a document costs; OperationRefused where the bucket is empty."""
    taken = await take_for_reading(shop, viewer, address, text)
    if not taken.allowed:
        message = Message("You have sent many documents that the shop does not know: send fewer, or wait.")
        raise OperationRefused(message, code=RATE_LIMITED, status=429, retry_after=taken.retry_after)


def check_charge(charge: Charge) -> None:
    """Refuse what costs more than one operation may, or more than the viewer's bucket holds now."""
    if charge.is_too_costly:
        message = Message(
            "The operation costs {cost}. One may cost at most {limit}.",
            cost=charge.requested,
            limit=charge.limits.operation,
        )
        raise OperationRefused(message, code=TOO_COSTLY)
    if not charge.taken.allowed:
        message = Message(
            "The operation costs {cost}. You have {left} left for now.",
            cost=charge.requested,
            left=int(charge.taken.left),
        )
        raise OperationRefused(message, code=RATE_LIMITED, status=429, retry_after=charge.taken.retry_after)


def extend(extensions: Mapping[str, object] | None, charge: Charge, *, personal: bool) -> dict[str, object]:
    """The extensions of an answer, with what the operation costs."""
    return {**(extensions or {}), "cost": charge.as_extension(personal=personal)}


def choose_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """The operation of this name, or the only one; OperationFailed when it cannot be told which one."""
    node = get_operation_ast(document, name)
    if node is not None:
        return node
    if name is not None:
        raise OperationFailed(
            [SentenceError(Message('The document has no operation named "{name}".', name=name))], 400
        )
    several = sum(isinstance(each, OperationDefinitionNode) for each in document.definitions)
    message = (
        Message("The document has several operations: name one.")
        if several
        else Message("The document has no operation.")
    )
    raise OperationFailed([SentenceError(message)], 400)

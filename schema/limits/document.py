"""One pass over a document: its structure is limited, and what it costs is prepared for any variables.

The pass is linear in the document: a fragment is weighed once, however often it is spread. Fields, types and
fragments that do not exist are passed over, since validation comes later and sees bounded documents only.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
)

from resolvers.errors import Message
from schema.limits.prices import ROWS_LIMIT, UNKNOWN, ArgumentRows, FieldPrice, PriceTable, Rows
from schema.limits.refusals import refuse_nested_types, refuse_size
from schema.limits.sizes import HIGH_PRICE
from schema.limits.weights import Factor, MostRows, VariableRows, Weight

OPERATIONS_LIMIT = 50
FRAGMENTS_LIMIT = 50
VARIABLES_LIMIT = 50
"""Definitions of each kind in a document."""
ROOT_FIELDS_LIMIT = 16
"""Fields that an operation selects of its root."""
FIELDS_LIMIT = 350
"""Fields written in a document; the largest of the clients, with its fragments, has 109."""
ALIASES_LIMIT = 100
"""Aliases written in a document."""
DIRECTIVES_LIMIT = 50
"""Directives written in a document."""
DEPTH_LIMIT = 20
"""Fields below each other; the introspection of GraphiQL has 15."""
LITERAL_LIMIT = 500
"""Entries of a list or of an object that is written in a document. Longer ones belong into variables."""
REPEATED_AT = 4
REPEATED_FACTOR = 10.0
"""From its fourth use in one operation on, a field with a high price counts ten times as much: pages do not
ask for the same search, report or facets again and again, and hostile documents do."""
INTROSPECTIONS_LIMIT = 2
"""Uses of `__schema` and `__type` in a document: tools ask once for the whole schema."""


@dataclass(frozen=True, slots=True)
class OperationWeight:
    """What one operation of a document costs."""

    type: OperationType
    weight: Weight
    defaults: Mapping[str, object]
    """Values of its variables that are not given."""

    def cost(self, variables: Mapping[str, object] | None) -> int:
        return int(self.weight.total({**self.defaults, **(variables or {})}))


@dataclass(slots=True)
class Selection:
    """What the selections of one field, fragment or operation count."""

    own: Weight = field(default_factory=Weight)
    per_row: Weight = field(default_factory=Weight)
    """What each row of the page counts that the selection stands in."""
    fields: int = 0
    depth: int = 0
    lists_types: bool = False
    """Whether an introspection lists the fields or types of a type in it."""


@dataclass(slots=True)
class Written:
    """How much of each kind is written in a document."""

    fields: int = 0
    aliases: int = 0
    directives: int = 0
    introspections: int = 0


def weigh_document(
    document: DocumentNode, prices: PriceTable, roots: Mapping[OperationType, str]
) -> "Operations":
    """The weights of all operations, by name; raises OperationRefused for a document that is too large."""
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    fragments = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
    check_number(operations, Message("operations"), OPERATIONS_LIMIT)
    check_number(fragments, Message("fragments"), FRAGMENTS_LIMIT)
    scale = DocumentScale(prices, {each.name.value: each for each in fragments})
    weights = {
        each.name.value if each.name else None: scale.weigh_operation(each, roots.get(each.operation))
        for each in operations
    }
    for fragment in fragments:
        scale.weigh_fragment(fragment.name.value, 0)
    return weights


Operations = Mapping[str | None, OperationWeight]


class DocumentScale:
    """Weighs the selections of one document."""

    def __init__(self, prices: PriceTable, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self.prices = prices
        self.fragments = fragments
        self.weighed: dict[str, Selection] = {}
        self.uses: Counter[tuple[str, str]] = Counter()
        self.written = Written()

    def weigh_operation(self, operation: OperationDefinitionNode, root: str | None) -> OperationWeight:
        self.uses.clear()
        check_number(operation.variable_definitions or (), Message("variables"), VARIABLES_LIMIT)
        self.count_directives(operation.directives or ())
        selection = self.weigh(operation.selection_set, root, 1)
        if selection.fields > ROOT_FIELDS_LIMIT:
            raise refuse_size(Message("root fields"), ROOT_FIELDS_LIMIT)
        check_values(
            [each.default_value for each in operation.variable_definitions or () if each.default_value]
        )
        defaults = dict(default_of(each) for each in operation.variable_definitions or ())
        return OperationWeight(operation.operation, selection.own, defaults)

    def weigh(self, selections: SelectionSetNode, parent: str | None, level: int) -> Selection:
        """What the fields of a selection count; `level` is the number of fields above and including them."""
        if level > DEPTH_LIMIT:
            raise refuse_size(Message("levels of fields"), DEPTH_LIMIT)
        result = Selection()
        for node in selections.selections:
            self.count_directives(node.directives or ())
            if isinstance(node, FieldNode):
                self.add_field(result, node, parent, level)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition.name.value if node.type_condition else parent
                add_selection(result, self.weigh(node.selection_set, condition, level))
            elif isinstance(node, FragmentSpreadNode):
                add_selection(result, self.weigh_fragment(node.name.value, level - 1))
        return result

    def weigh_fragment(self, name: str, above: int) -> Selection:
        """What a fragment counts that stands below `above` fields; nothing where it does not exist.

        A fragment that is being weighed counts nothing within itself: validation refuses the cycle.
        """
        fragment = self.fragments.get(name)
        if fragment is None:
            return Selection()
        known = self.weighed.get(name)
        if known is None:
            self.weighed[name] = Selection()
            self.count_directives(fragment.directives or ())
            known = self.weigh(fragment.selection_set, fragment.type_condition.name.value, above + 1)
            self.weighed[name] = known
        if above + known.depth > DEPTH_LIMIT:
            raise refuse_size(Message("levels of fields"), DEPTH_LIMIT)
        return known

    def add_field(self, result: Selection, node: FieldNode, parent: str | None, level: int) -> None:
        self.count_field(node)
        price = self.prices.get(parent or "", {}).get(node.name.value, UNKNOWN)
        if price.is_introspection:
            self.count_introspection()
        result.own.constant += self.price_of(price, (parent or "", node.name.value))
        result.fields += 1
        result.depth = max(result.depth, 1)
        if node.selection_set is None:
            return
        below = self.weigh(node.selection_set, price.type_name, level + 1)
        target = result.per_row if price.in_page else result.own
        target.add(weight_below(below, price, node), factor_of(price.rows, node))
        result.depth = max(result.depth, below.depth + 1)
        if below.lists_types and price.lists_types:
            raise refuse_nested_types()
        result.lists_types = result.lists_types or below.lists_types or price.lists_types

    def price_of(self, price: FieldPrice, name: tuple[str, str]) -> float:
        """What one more use of a field, by type and name, counts for itself."""
        if price.price < HIGH_PRICE:
            return price.price
        self.uses[name] += 1
        return price.price * (REPEATED_FACTOR if self.uses[name] >= REPEATED_AT else 1.0)

    def count_field(self, node: FieldNode) -> None:
        written = self.written
        written.fields += 1
        if written.fields > FIELDS_LIMIT:
            raise refuse_size(Message("fields"), FIELDS_LIMIT)
        if node.alias:
            written.aliases += 1
            if written.aliases > ALIASES_LIMIT:
                raise refuse_size(Message("aliases"), ALIASES_LIMIT)
        if node.arguments:
            check_literals(node.arguments)

    def count_introspection(self) -> None:
        self.written.introspections += 1
        if self.written.introspections > INTROSPECTIONS_LIMIT:
            raise refuse_size(Message("uses of `__schema` and `__type`"), INTROSPECTIONS_LIMIT)

    def count_directives(self, directives: Sequence[DirectiveNode]) -> None:
        if not directives:
            return
        self.written.directives += len(directives)
        if self.written.directives > DIRECTIVES_LIMIT:
            raise refuse_size(Message("directives"), DIRECTIVES_LIMIT)
        for directive in directives:
            check_literals(directive.arguments or ())


def add_selection(result: Selection, other: Selection) -> None:
    result.own.add(other.own)
    result.per_row.add(other.per_row)
    result.fields += other.fields
    result.depth = max(result.depth, other.depth)
    result.lists_types = result.lists_types or other.lists_types


def weight_below(below: Selection, price: FieldPrice, node: FieldNode) -> Weight:
    """What the fields below one field count, for one of its rows."""
    if below.per_row.is_zero:
        return below.own
    weight = Weight()
    weight.add(below.own)
    weight.add(below.per_row, ROWS_LIMIT if price.page is None else factor_of(price.page, node))
    return weight


def factor_of(rows: Rows, node: FieldNode) -> Factor:
    """The rows of a field with its arguments; of several arguments the one that asks for most counts."""
    if not isinstance(rows, ArgumentRows):
        return rows
    values = [each.value for each in node.arguments or () if each.name.value in rows.arguments]
    if not values:
        return rows.default
    if len(values) == 1:
        return rows_of_value(values[0], rows.default)
    return MostRows(tuple(rows_of_value(each, 0.0) for each in values), rows.default)


def rows_of_value(value: ValueNode, default: float) -> float | VariableRows:
    if isinstance(value, VariableNode):
        return VariableRows(value.name.value, default, ROWS_LIMIT)
    if isinstance(value, NullValueNode):
        return default
    if isinstance(value, ListValueNode):
        check_number(value.values, Message("entries in a list of ids"), int(ROWS_LIMIT))
        return float(len(value.values))
    number = value_of_integer(value)
    return ROWS_LIMIT if number is None else float(min(max(number, 0), ROWS_LIMIT))


def value_of_integer(value: ValueNode) -> int | None:
    """The number of an integer literal of a length that can be one (32 bits); None for all else."""
    return int(value.value) if isinstance(value, IntValueNode) and len(value.value) <= 11 else None


def default_of(definition: VariableDefinitionNode) -> tuple[str, object]:
    """The name of a variable, and its default as far as it can say rows; None when it has none."""
    value, name = definition.default_value, definition.variable.name.value
    if value is None or isinstance(value, NullValueNode):
        return name, None
    if isinstance(value, ListValueNode):
        return name, list(value.values)
    number = value_of_integer(value)
    return name, value if number is None else number


def check_literals(arguments: Sequence[ArgumentNode]) -> None:
    check_values([each.value for each in arguments])


def check_values(values: list[ValueNode]) -> None:
    """Refuse a list or object with more than LITERAL_LIMIT entries anywhere in the values."""
    while values:
        value = values.pop()
        if isinstance(value, ListValueNode):
            check_number(value.values, Message("entries in a list"), LITERAL_LIMIT)
            values.extend(value.values)
        elif isinstance(value, ObjectValueNode):
            check_number(value.fields, Message("entries in an object"), LITERAL_LIMIT)
            values.extend(each.value for each in value.fields)


def check_number(nodes: Sequence[object], what: Message, limit: int) -> None:
    if len(nodes) > limit:
        raise refuse_size(what, limit)

"""Fields with the same response name must mean the same (https://spec.graphql.org/draft/#FieldsInSetCanMerge).

graphql-core compares each such field with each other, which takes seconds for some hundred of them. Whether
two fields may be merged is an equivalence, so that it is enough to compare each with the first of its group:
fields are grouped by response name, and the selections of a group are checked together as one selection.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    InlineFragmentNode,
    ListValueNode,
    NamedTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from resolvers.errors import Message
from schema.limits.refusals import refuse_size

VISITS_LIMIT = 10_000
"""Fields looked at for one document; fragments that are merged in ever new ways need more."""

ADVICE = "Use different aliases on the fields to fetch both if this was intentional."


@dataclass(frozen=True, slots=True)
class SelectedField:
    """A field of a selection, as it stands in the document."""

    parent: GraphQLNamedType | None
    node: FieldNode
    field: GraphQLField | None

    @property
    def below(self) -> "Selections":
        """What is selected of it."""
        if self.node.selection_set is None:
            return ()
        return ((self.node.selection_set, get_named_type(self.field.type) if self.field else None),)


Selections = tuple[tuple[SelectionSetNode, GraphQLNamedType | None], ...]
"""Selections, each with the type it selects of."""

Group = list[SelectedField]


class MergeableFieldsRule(ValidationRule):
    """Validates that all fields of one response name can be merged; raises OperationRefused for too many."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.checked: set[tuple[frozenset[tuple[int, str]], bool]] = set()
        self.visits = 0

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> None:
        root = self.context.schema.get_root_type(node.operation)
        self.check(((node.selection_set, root),), of_one_object=True)

    def check(self, selections: Selections, *, of_one_object: bool) -> None:
        """Check what is merged from these selections; the same ones are checked only once.

        The fields of two objects are never merged. They only have to give values of the same shape.
        """
        key = frozenset((id(each), type_.name if type_ else "") for each, type_ in selections), of_one_object
        if not selections or key in self.checked:
            return
        self.checked.add(key)
        for name, fields in self.collect(selections).items():
            groups = group_by_object(fields) if of_one_object else [fields]
            if not (of_one_object and any(self.report_calls(name, group) for group in groups)):
                self.report_shapes(name, fields)
            for group in groups:
                self.check(selections_below(group), of_one_object=of_one_object)
            if len(groups) > 1:
                self.check(selections_below(fields), of_one_object=False)

    def collect(self, selections: Selections) -> Mapping[str, Group]:
        """The fields by response name; each fragment is looked at once."""
        fields: dict[str, Group] = {}
        waiting, spread = list(selections), set[str]()
        while waiting:
            selection_set, parent = waiting.pop()
            self.visits += len(selection_set.selections)
            if self.visits > VISITS_LIMIT:
                raise refuse_size(Message("fields to be merged"), VISITS_LIMIT)
            for node in selection_set.selections:
                if isinstance(node, FieldNode):
                    name = node.alias.value if node.alias else node.name.value
                    found = SelectedField(parent, node, self.field_of(parent, node.name.value))
                    fields.setdefault(name, []).append(found)
                elif isinstance(node, InlineFragmentNode):
                    condition = node.type_condition
                    waiting.append((node.selection_set, self.type_of(condition) if condition else parent))
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    if fragment := self.context.get_fragment(node.name.value):
                        waiting.append((fragment.selection_set, self.type_of(fragment.type_condition)))
        return fields

    def report_shapes(self, name: str, fields: Group) -> None:
        """Report a field whose lists, nullability, scalar or enum are not those of the first."""
        first: SelectedField | None = None
        for each in fields:
            if each.field is None:
                continue
            first = first or each
            if first.field and shape_of(first.field.type) != shape_of(each.field.type):
                types = f"'{first.field.type}' and '{each.field.type}'"
                self.report(name, f"they return conflicting types {types}", first, each)
                return

    def report_calls(self, name: str, fields: Group) -> bool:
        """Report a field that is another one than the first, or has other arguments; whether there is any."""
        first = fields[0]
        for each in fields[1:]:
            if each.node.name.value != first.node.name.value:
                names = f"'{first.node.name.value}' and '{each.node.name.value}'"
                self.report(name, f"{names} are different fields", first, each)
                return True
            if arguments_of(each.node) != arguments_of(first.node):
                self.report(name, "they have differing arguments", first, each)
                return True
        return False

    def report(self, name: str, reason: str, first: SelectedField, other: SelectedField) -> None:
        message = f"Fields '{name}' conflict because {reason}. {ADVICE}"
        self.report_error(GraphQLError(message, [first.node, other.node]))

    def type_of(self, condition: NamedTypeNode) -> GraphQLNamedType | None:
        return self.context.schema.get_type(condition.name.value)

    def field_of(self, parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
        if not is_composite_type(parent):
            return None
        return self.context.schema.get_field(parent, name)


def group_by_object(fields: Group) -> list[Group]:
    """The fields that may be of one object: those of each object type, with those of all interfaces."""
    if len(fields) == 1:
        return [fields]
    by_type: dict[str, Group] = {}
    abstract: Group = []
    for each in fields:
        is_object = isinstance(each.parent, GraphQLObjectType)
        (by_type.setdefault(each.parent.name, []) if is_object and each.parent else abstract).append(each)
    return [group + abstract for group in by_type.values()] or [abstract]


def selections_below(fields: Iterable[SelectedField]) -> Selections:
    return tuple(selection for each in fields for selection in each.below)


def shape_of(type_: GraphQLOutputType) -> str:
    """Lists and nullability of a type, with the name of its scalar or enum; all objects have one shape."""
    if isinstance(type_, GraphQLNonNull):
        return f"{shape_of(type_.of_type)}!"
    if isinstance(type_, GraphQLList):
        return f"[{shape_of(type_.of_type)}]"
    return "" if is_composite_type(type_) else type_.name


def arguments_of(node: FieldNode) -> frozenset[tuple[str, object]]:
    return frozenset((each.name.value, value_of(each.value)) for each in node.arguments or ())


def value_of(value: ValueNode) -> object:
    """A literal as something that equals another where both have the same meaning."""
    if isinstance(value, ListValueNode):
        return tuple(value_of(each) for each in value.values)
    if isinstance(value, ObjectValueNode):
        return frozenset((each.name.value, value_of(each.value)) for each in value.fields)
    if isinstance(value, VariableNode):
        return value.kind, value.name.value
    return value.kind, getattr(value, "value", None)

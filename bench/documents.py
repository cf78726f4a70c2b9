"""Random documents that grow: each in depth, breadth, aliases, fragments, variables or literals."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from tests.documents import write_literal

DIMENSIONS = ("depth", "breadth", "aliases", "fragments", "variables", "literals")
ROOT_FIELDS = (
    "articles",
    "cart",
    "categories",
    "category",
    "nodes",
    "product",
    "products",
    "searchSuggestions",
    "viewer",
)
"""What guests may ask for."""
SIZE_LIMIT = 40

Parent = GraphQLObjectType | GraphQLInterfaceType


@dataclass(frozen=True, slots=True)
class Sample:
    """A document with its variables, and what it is."""

    name: str
    text: str
    variables: dict[str, object] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return json.dumps({"query": self.text, "variables": self.variables}).encode()


class DocumentGenerator:
    """Writes random documents of a schema; the same ones for the same seed."""

    def __init__(self, schema: GraphQLSchema, seed: int) -> None:
        assert schema.query_type
        self.root: Parent = schema.query_type
        self.random = Random(seed)
        self.dimension = ""
        self.size = 0
        self.fragments: list[str] = []
        self.aliases = 0

    def write_samples(self, count: int) -> Iterator[Sample]:
        """`count` documents; their size grows from 1 to SIZE_LIMIT, in another dimension each."""
        for number in range(count):
            self.dimension = DIMENSIONS[number % len(DIMENSIONS)]
            self.size = 1 + number * SIZE_LIMIT // count
            yield self.write_sample(f"{self.dimension} {number}")

    def write_sample(self, name: str) -> Sample:
        self.fragments, self.aliases = [], 0
        depth = self.size if self.dimension == "depth" else self.random.randint(1, 4)
        roots = [self.write_field(self.root, self.random.choice(ROOT_FIELDS), depth) for _ in self.breadth()]
        variables: dict[str, object] = {"n": self.random.choice([1, 5, 20, 100])}
        if self.dimension == "variables":
            variables["unused"] = [{"a": number} for number in range(self.size**3)]
        text = f"{{ {' '.join(roots)} }} {' '.join(self.fragments)}"
        head = "query ($n: Int! = 3) " if "$n" in text else ""
        return Sample(name, head + text, variables)

    def breadth(self) -> range:
        return range(self.random.randint(1, self.size if self.dimension == "breadth" else 3))

    def write_field(self, parent: Parent, name: str, depth: int) -> str:
        """The field with all it requires, as often as the size says where aliases grow."""
        declared = parent.fields[name]
        text = f"{name}{self.write_arguments(declared)}"
        named = get_named_type(declared.type)
        if isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            text = f"{text} {{ {self.write_selection(named, depth - 1)} }}"
        copies = self.random.randint(1, self.size) if self.dimension == "aliases" and depth > 1 else 1
        return " ".join(f"{self.next_alias()}: {text}" for _ in range(copies))

    def next_alias(self) -> str:
        self.aliases += 1
        return f"a{self.aliases}"

    def write_arguments(self, declared: GraphQLField) -> str:
        parts = [
            f"{key}: {write_literal(argument.type, key, {}, {})}"
            for key, argument in declared.args.items()
            if is_required_argument(argument) and key != "ids"
        ]
        if "first" in declared.args:
            parts.append(f"first: {self.random.choice(['1', '10', '100', '$n'])}")
        entries = '"a" ' * (self.size * 20 if self.dimension == "literals" else 2)
        if "ids" in declared.args:
            parts.append(f"ids: [{entries}]")
        if "filter" in declared.args and self.dimension == "literals":
            parts.append(f"filter: {{ brands: [{entries}] }}")
        return f"({', '.join(parts)})" if parts else ""

    def write_selection(self, parent: Parent, depth: int) -> str:
        """Some fields of the type; those with fields below them only while there is depth left."""
        leaves = [name for name, each in parent.fields.items() if is_leaf_type(get_named_type(each.type))]
        deeper = [name for name in parent.fields if name not in leaves] if depth > 0 else []
        chosen = [self.random.choice(leaves or ["__typename"]) for _ in self.breadth()]
        chosen += [self.random.choice(deeper) for _ in range(1 if deeper else 0)]
        text = " ".join(
            name if name == "__typename" else self.write_field(parent, name, depth) for name in chosen
        )
        if self.dimension != "fragments" or self.random.random() < 0.5:
            return text
        fragment = f"f{len(self.fragments)}"
        self.fragments.append(f"fragment {fragment} on {parent.name} {{ {text} }}")
        return f"...{fragment} " * self.random.randint(1, self.size)

"""Descriptions in the SDL, taken from docstrings.

A class's docstring describes the type, a string under an attribute describes that field, the first
paragraph of a function's docstring describes the field it answers, and lines "name: sentence" below it
describe its arguments.
"""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TypeVar, dataclass_transform

from strawberry.types.enum import StrawberryEnumDefinition

E = TypeVar("E", bound=Enum)
T = TypeVar("T")

ARGUMENT = re.compile(r"^(\w+): (.+(?:\n[ \t]+.+)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DocstringParts:
    """The description in a docstring, and the descriptions of the arguments by name."""

    description: str
    arguments: Mapping[str, str]


def parse_docstring(function: Callable[..., object]) -> DocstringParts:
    text = inspect.getdoc(function) or ""
    head, _, tail = text.partition("\n\n")
    arguments = {name: " ".join(sentence.split()) for name, sentence in ARGUMENT.findall(tail)}
    return DocstringParts(" ".join(head.split()), arguments)


def attribute_docs(cls: type) -> dict[str, str]:
    """Attribute -> the string under it, including those of base classes."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        docs |= module_docs(base.__module__).get(base.__qualname__, {})
    return docs


def describe_enum(enum: type[E]) -> type[E]:
    """The same enum as a GraphQL enum, its values described by the strings under them."""
    import strawberry

    docs = attribute_docs(enum)
    if "__strawberry_definition__" not in vars(enum):  # an input that was declared earlier has given it one
        strawberry.enum(enum)
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]
    definition.description = inspect.getdoc(enum)
    for value in definition.values:
        value.description = docs.get(value.name)
    return enum


def describe_fields(cls: type[T]) -> type[T]:
    """Describe every field that has no description by the string under it."""
    docs = attribute_docs(cls)
    for field in cls.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        field.description = field.description or docs.get(field.python_name)
    return cls


@dataclass_transform(kw_only_default=True)
def input_type(cls: type[T]) -> type[T]:
    """Declare a GraphQL input whose fields are described by the strings under them."""
    import strawberry

    return describe_fields(strawberry.input(cls, description=inspect.getdoc(cls)))


@cache
def module_docs(module: str) -> Mapping[str, Mapping[str, str]]:
    """Class -> attribute -> the string under it, for one module; {} for modules that are not ours."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file or "site-packages" in file or not file.endswith(".py") or "/lib/python" in file:
        return {}
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {node.name: _attribute_strings(node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _attribute_strings(node: ast.ClassDef) -> dict[str, str]:
    docs = {}
    for statement, following in zip(node.body, node.body[1:], strict=False):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                docs[name] = " ".join(inspect.cleandoc(text).split())
    return docs

"""What clients read in the SDL is written where the thing is written.

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
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

ARGUMENT = re.compile(r"^(\w+): (.+(?:\n[ \t]+.+)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Words:
    """A docstring taken apart."""

    description: str
    arguments: Mapping[str, str]


def words_of(function: Callable[..., Any]) -> Words:
    text = inspect.getdoc(function) or ""
    head, _, tail = text.partition("\n\n")
    found = {name: " ".join(said.split()) for name, said in ARGUMENT.findall(tail)}
    return Words(" ".join(head.split()), found)


def attribute_docs(cls: type) -> dict[str, str]:
    """Attribute -> the string written under it, base classes included."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        docs |= module_docs(base.__module__).get(base.__qualname__, {})
    return docs


def describe_enum(enum: type[Enum]) -> Any:
    """The same enum, as a GraphQL enum whose values carry the strings written under them."""
    import strawberry

    docs = attribute_docs(enum)
    known = "__strawberry_definition__" in vars(enum)  # an input that was declared earlier has it
    described: Any = enum if known else strawberry.enum(enum)
    described.__strawberry_definition__.description = inspect.getdoc(enum)
    for value in described.__strawberry_definition__.values:
        value.description = docs.get(value.name)
    return described


def described(cls: type[T]) -> type[T]:
    """Give every field that has no description the string written under it."""
    docs = attribute_docs(cls)
    for field in cls.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        field.description = field.description or docs.get(field.python_name)
    return cls


@dataclass_transform(kw_only_default=True)
def input_type(cls: type[T]) -> type[T]:
    """Declare a GraphQL input; the strings under its attributes describe them."""
    import strawberry

    return described(strawberry.input(cls, description=inspect.getdoc(cls)))


@cache
def module_docs(module: str) -> Mapping[str, Mapping[str, str]]:
    """Class -> attribute -> string under it, for one module; parsed once."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file or "site-packages" in file or not file.endswith(".py") or "/lib/python" in file:
        return {}
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {node.name: _strings(node) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _strings(node: ast.ClassDef) -> dict[str, str]:
    docs = {}
    for statement, following in zip(node.body, node.body[1:], strict=False):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                docs[name] = " ".join(inspect.cleandoc(text).split())
    return docs

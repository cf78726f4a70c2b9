"""Every example operation is valid and runs in a test of this folder."""

import ast
from pathlib import Path

from graphql import parse, validate

from edge.operations.documents import read_operations
from schema import schema
from tests.client_apps.client_app import FOLDER

APPS = ("mobile", "staff", "tracking", "web")
OPERATIONS = read_operations(FOLDER)


def names_in_tests() -> set[str]:
    """Return the strings in the tests of this folder."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {node.value for node in nodes if isinstance(node.value, str)}


def test_there_is_a_folder_for_each_application() -> None:
    assert {path.name for path in FOLDER.iterdir() if any(path.glob("*.graphql"))} == {*APPS}


def test_every_operation_runs_in_a_test() -> None:
    assert {operation.name for operation in OPERATIONS} - names_in_tests() == set()


def test_the_operations_are_valid_and_named_after_their_applications() -> None:
    prefixes = tuple(app.capitalize() for app in APPS)

    assert {
        each.name: errors for each in OPERATIONS if (errors := validate(schema._schema, parse(each.text)))
    } == {}
    assert [each.name for each in OPERATIONS if not each.name.startswith(prefixes)] == []

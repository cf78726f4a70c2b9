"""What applications of the last release send runs on the tables of this one.

A query that has changed since is sent by `ClientApp.read` in both versions, with the same variables.
"""

from pathlib import Path

from graphql import parse, validate

from edge.operations.documents import read_operations
from edge.operations.releases import find_last_release
from schema import schema
from tests.client_apps.client_app import FOLDER
from tests.client_apps.last_release import released_operations
from tests.client_apps.test_documents import names_in_tests

NOW = {operation.name: operation for operation in read_operations(FOLDER)}


def test_the_operations_of_the_last_release_are_valid() -> None:
    errors = {
        name: found
        for name, operation in released_operations().items()
        if (found := validate(schema._schema, parse(operation.text)))
    }
    assert errors == {}


def test_every_operation_of_the_last_release_runs_in_a_test() -> None:
    """By its name, in the version that it has now or, where it has gone, in a test of its own."""
    assert released_operations().keys() - names_in_tests() == set()


def test_an_operation_of_the_last_release_keeps_its_kind() -> None:
    kinds = {name: operation.kind for name, operation in released_operations().items() if name in NOW}
    assert kinds == {name: NOW[name].kind for name in kinds}


def test_the_last_release_is_that_of_the_highest_version(tmp_path: Path) -> None:
    assert find_last_release(tmp_path) is None
    for name in ("0.2.0", "0.10.0", "0.9.1", "drafts"):
        (tmp_path / name).mkdir()

    assert find_last_release(tmp_path) == tmp_path / "0.10.0"

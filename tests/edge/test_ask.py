"""What `cartwheel ask` sends: a document, or an operation of a file."""

from pathlib import Path

import pytest

from edge.commands.ask import AskFailed, read_operation, read_variables
from edge.operations.documents import read_operations
from tests.process import ROOT

DESK = ROOT / "clients" / "staff"


def test_an_operation_of_a_file_is_sent_with_the_fragments_that_it_uses() -> None:
    sent = read_operation(DESK / "ticket_screen.graphql", "StaffTicketScreen")

    assert sent == next(each.text for each in read_operations(DESK) if each.name == "StaffTicketScreen")
    assert "fragment TicketDesk on Ticket" in sent
    assert "fragment PromotionRow" not in sent


def test_the_only_operation_of_a_file_needs_no_name(tmp_path: Path) -> None:
    file = tmp_path / "role.txt"
    file.write_text("query Role { viewer { ...Seen } } fragment Seen on Viewer { role }")

    assert read_operation(file, None).startswith("query Role")


def test_a_file_with_several_operations_names_them(tmp_path: Path) -> None:
    file = tmp_path / "two.graphql"
    file.write_text("query One { __typename } query Two { __typename }")

    for name in (None, "Three"):
        with pytest.raises(AskFailed, match=r"two.graphql has the operations: One, Two\. Name one of them\."):
            read_operation(file, name)
    assert read_operation(file, "Two").startswith("query Two")


def test_a_subscription_of_a_file_is_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "watch.graphql"
    file.write_text("subscription Watch { workQueue { name } }")

    with pytest.raises(AskFailed, match="Watch is a subscription"):
        read_operation(file, None)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.graphql"
    broken.write_text("query {")

    with pytest.raises(AskFailed, match=r"There is no file .*gone\.graphql\."):
        read_operation(tmp_path / "gone.graphql", None)
    with pytest.raises(AskFailed, match=r"broken\.graphql:1: Syntax Error"):
        read_operation(broken, None)


@pytest.mark.parametrize("text", ["", "[1]", "first: 3", "null"])
def test_variables_are_a_json_object(text: str) -> None:
    with pytest.raises(AskFailed, match="JSON object"):
        read_variables(text)
    assert read_variables('{"first": 3}') == {"first": 3}

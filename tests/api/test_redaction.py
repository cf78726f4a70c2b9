"""What GraphQL says about a wrong document names what to correct and repeats no value."""

from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLError, OperationDefinitionNode, get_variable_values, parse, validate

from schema import schema
from schema.redaction import MESSAGE_LIMIT, redact_message
from settings import Settings
from tests.clients import Clients

SECRET = "s3cret"
SIGN_IN = "mutation { sessionCreate(input: %s) { userErrors { code } } }"
STAFF = 'mutation { staffCreate(input: { role: %s, name: "a", password: "s3cret" }) { userErrors { code } } }'

LITERALS = [
    (SIGN_IN % '{ login: "s3cret", password: 5 }', "String cannot represent a non string value."),
    (
        SIGN_IN % '{ login: "s3cret" }',
        "Expected value of type 'SessionCreateInput' to include required field 'password'.",
    ),
    (
        SIGN_IN % '{ login: "s3cret", password: "s3cret", passwort: "s3cret" }',
        "Expected value of type 'SessionCreateInput' not to include unknown field 'passwort'."
        " Did you mean 'password'?",
    ),
    (SIGN_IN % '"s3cret"', "Expected value of type 'SessionCreateInput' to be an object."),
    (STAFF % "s3cret", "The value does not exist in 'Role' enum."),
    (STAFF % '"s3cret"', "Enum 'Role' cannot represent non-enum value."),
    ('{ products(first: "s3cret") { totalCount } }', "Int cannot represent non-integer value."),
    ('{ node(id: { a: "s3cret" }) { id } }', "ID cannot represent a non-string and non-integer value."),
    ('{ viewer(a: "x" "s3cret") }', "Syntax Error: Expected Name, found String."),
    ("s3cret", "Syntax Error: Unexpected Name."),
    (r'{ a(b: "\us3cret") }', "Syntax Error: Invalid Unicode escape sequence."),
    ('{ a(b: "s3cret', "Syntax Error: Unterminated string."),
]

VARIABLES: list[tuple[str, Any, str]] = [
    ("SessionCreateInput!", SECRET, "Expected value of type 'SessionCreateInput' to be an object."),
    (
        "SessionCreateInput!",
        {"login": SECRET},
        "Expected value of type 'SessionCreateInput' to include required field 'password'.",
    ),
    (
        "SessionCreateInput!",
        {"login": "a", "password": "b", f"x y'{SECRET}": 1},
        "Expected value of type 'SessionCreateInput' not to include unknown field.",
    ),
    ("Role", f"a' does not exist in 'Role' enum. {SECRET}", "The value does not exist in 'Role' enum."),
    ("Int", SECRET, "Int cannot represent non-integer value."),
    ("Int", {SECRET: [SECRET]}, "Int cannot represent non-integer value."),
    ("Float", SECRET, "Float cannot represent non numeric value."),
    ("ID", {"a": SECRET}, "ID cannot represent value."),
    ("Date", SECRET, "Value cannot represent a Date."),
    ("DateTime", SECRET, "Value cannot represent a DateTime."),
    ("Decimal", SECRET, "Value cannot represent a Decimal."),
]


@pytest.mark.parametrize(("document", "message"), LITERALS)
def test_a_wrong_value_in_a_document_is_not_repeated(document: str, message: str) -> None:
    messages = [redact_message(error.message) for error in errors_of(document)]

    assert message in messages
    assert SECRET not in str(messages)


def errors_of(document: str) -> Sequence[GraphQLError]:
    try:
        return validate(schema._schema, parse(document))
    except GraphQLError as error:
        return [error]


@pytest.mark.parametrize(("type_", "value", "message"), VARIABLES)
def test_a_wrong_value_of_a_variable_is_not_repeated(type_: str, value: Any, message: str) -> None:
    [operation] = parse(f"query q($a: {type_}) {{ __typename }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    errors = get_variable_values(schema._schema, operation.variable_definitions or (), {"a": value})
    assert isinstance(errors, list)

    [shown] = [redact_message(error.message) for error in errors]

    assert shown.startswith("Variable '$a' has invalid value")
    assert shown.endswith(f": {message}")
    assert SECRET not in shown


async def test_answers_are_redacted_and_hide_the_schema_where_it_is_not_shown(clients: Clients) -> None:
    document = SIGN_IN % '{ login: "s3cret", passwort: "s3cret" }'
    unknown = "Expected value of type 'SessionCreateInput' not to include unknown field 'passwort'."

    shown = await clients.guest().ask(document)
    clients.shop.settings = hide_schema(clients.shop.settings)
    hidden = await clients.guest().ask(document)

    assert [error["message"] for error in shown["errors"]] == [
        "Expected value of type 'SessionCreateInput' to include required field 'password'.",
        f"{unknown} Did you mean 'password'?",
    ]
    assert [error["message"] for error in hidden["errors"]][1] == unknown
    assert SECRET not in str((shown, hidden))


@pytest.mark.parametrize(
    "document",
    [
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Cart") { name } }',
        "{ ...a } fragment a on Query { x: __schema { __typename } }",
    ],
)
async def test_there_is_no_introspection_where_the_schema_is_not_shown(
    clients: Clients, document: str
) -> None:
    assert "errors" not in await clients.guest().ask(document)
    clients.shop.settings = hide_schema(clients.shop.settings)

    response = await clients.guest().ask(document)

    assert "introspection" in response["errors"][0]["message"]
    assert not response.get("data")
    assert await clients.guest().get('{ __typename article(slug: "__schema") { id } }') == {
        "__typename": "Query",
        "article": None,
    }


def hide_schema(settings: Settings) -> Settings:
    exposure = settings.exposure.model_copy(update={"show_schema": False})
    return settings.model_copy(update={"exposure": exposure})


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, True),
        ({"environment": "production"}, False),
        ({"environment": "production", "show_schema": "true"}, True),
        ({"show_schema": "false"}, False),
    ],
)
def test_the_schema_is_shown_in_development_or_where_a_setting_says_so(
    values: dict[str, str], shown: bool
) -> None:
    settings = Settings.from_environment(env_file=None, secret_key="x" * 32, **values)

    assert settings.shows_schema is shown


def test_a_message_is_never_longer_than_the_limit() -> None:
    assert len(redact_message(f"Cannot query field '{'x' * 100_000}'.")) == MESSAGE_LIMIT + 3

"""Messages of GraphQL about a wrong document or variable, without the values that they repeat.

A value may be a password or an address, and messages are shown, logged and kept by those who report errors.
Names of fields, types and arguments stay: they say what to correct.
"""

import re
from collections.abc import Sequence

MESSAGE_LIMIT = 500
"""Characters of a message; names in it come from the document and may be of any length."""

Replacement = tuple[re.Pattern[str], str]


def _replace(pattern: str, by: str) -> Replacement:
    return re.compile(pattern, re.DOTALL), by


LEXICAL_KINDS = "Name|Int|Float|String|BlockString|Comment"

SYNTAX: Sequence[Replacement] = (
    _replace(rf"\b({LEXICAL_KINDS}) '.*'", r"\1"),
    _replace(r"sequence: '.*'", "sequence"),
    _replace(r"(digit after 0|digit but got|character within String|character): .*", r"\1."),
    _replace(r", did you mean '0\..*'\?", "."),
)
"""What the parser of graphql-core repeats of the text it cannot read."""

VALUES: Sequence[Replacement] = (
    _replace(r"(?:, but encountered error '.*'; found|, found| Found): .*", "."),
    _replace(r"\?\.$", "?"),
    _replace(r"\bValue '.*' does not exist in '(\w+)' enum\.", r"The value does not exist in '\1' enum."),
    _replace(r"\b(cannot represent [\w -]+?): .*", r"\1."),
    _replace(r"\b(unknown field) '(?!\w+'[. ]|\w+'$).*", r"\1."),
)
"""What validation and the coercion of variables repeat, in graphql-core and in Strawberry's scalars."""

SUGGESTION = re.compile(r" Did you mean .*\?", re.DOTALL)


def redact_message(message: str, *, suggest: bool = True) -> str:
    """The message without values, at most MESSAGE_LIMIT characters of it; without `suggest` also without the
    names that the schema has instead."""
    for pattern, by in SYNTAX if message.startswith("Syntax Error") else VALUES:
        message = pattern.sub(by, message)
    if not suggest:
        message = SUGGESTION.sub("", message)
    return message if len(message) <= MESSAGE_LIMIT else f"{message[:MESSAGE_LIMIT]}..."

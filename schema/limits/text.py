"""The text of a document is measured before it is parsed, since parsing takes far longer."""

import re

from resolvers.errors import Message
from schema.limits.refusals import refuse_size

TEXT_LIMIT = 50_000
"""Characters of a document. Long values belong into variables."""
TOKENS_LIMIT = 2_000
"""Tokens of a document, comments included; the largest example operation has a quarter of it."""
NESTING_LIMIT = 50
"""Open brackets of any kind at one place of a document."""

VALUES_LIMIT = 50_000
"""Values in the variables of an operation: the largest inputs are whole products and promotions."""
VALUE_PRICE = 0.4
"""What a value in the variables costs: reading one and checking its type takes a microsecond."""
VARIABLES_NESTING_LIMIT = 20
"""Lists and objects within each other in the variables of an operation."""

TOKEN = re.compile(
    r'"""(?:[^"\\]++|\\"""|\\|"(?!""))*+(?:""")?+'
    r'|"(?:[^"\\\n\r]++|\\.)*+"?+'
    r"|#[^\n\r]*+"
    r"|[{(\[]|[})\]]"
    r"|[\w.+-]++"
    r"|[^\s,\ufeff]"
)
"""One token of GraphQL (https://spec.graphql.org/draft/#sec-Language.Source-Text.Lexical-Tokens) or comment.

Wrong tokens match, too, as does a text without an end: the parser refuses them. Every part is possessive, so
that the time is linear in the length of the text.
"""


def check_text(text: str) -> None:
    """Refuse a document that is too long, has too many tokens or is nested too deeply to be parsed."""
    if len(text) > TEXT_LIMIT:
        raise refuse_size(Message("characters"), TEXT_LIMIT)
    nesting = 0
    for number, match in enumerate(TOKEN.finditer(text), start=1):
        if number > TOKENS_LIMIT:
            raise refuse_size(Message("tokens"), TOKENS_LIMIT)
        first = text[match.start()]
        if first in "{[(":
            nesting += 1
            if nesting > NESTING_LIMIT:
                raise refuse_size(Message("levels of brackets"), NESTING_LIMIT)
        elif first in "}])":
            nesting -= 1


def count_values(variables: object) -> int:
    """The values in the variables of an operation; each entry of a list or object is one.

    OperationRefused for too many values or too many levels.
    """
    level, values = [variables], 0
    for _ in range(VARIABLES_NESTING_LIMIT):
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        values += len(below)
        if values > VALUES_LIMIT:
            raise refuse_size(Message("values in its variables"), VALUES_LIMIT)
        if not below:
            return values
        level = below
    raise refuse_size(Message("levels in its variables"), VARIABLES_NESTING_LIMIT)

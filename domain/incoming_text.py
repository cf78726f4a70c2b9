"""Texts that come in, in their one spelling; Invalid names the argument whose characters are not taken."""

from domain.errors import Invalid
from text.characters import MARKS_LIMIT, RefusedCharacter, TooManyMarks, normalize_text

Field = tuple[str | int, ...]


def normalize_incoming_text(text: str, *, field: Field = ()) -> str:
    """The text as it is read, compared and stored; "" where nothing visible is left."""
    try:
        return normalize_text(text)
    except RefusedCharacter as refused:
        raise Invalid("This character is not taken: {name}.", name=refused.name, field=field) from None
    except TooManyMarks:
        raise Invalid(
            "At most {limit} marks stand on one character.", limit=MARKS_LIMIT, field=field
        ) from None

"""Global ids: a type and a number, opaque to clients."""

import base64
import binascii

from domain.errors import NotFound, thing_named


def global_id(type_name: str, number: int | str) -> str:
    return base64.urlsafe_b64encode(f"{type_name}:{number}".encode()).decode().rstrip("=")


def parse_id(global_id: str) -> tuple[str, int] | None:
    """The type and the number; None when it is not an id of ours."""
    try:
        name, _, number = (
            base64.urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4)).decode().partition(":")
        )
    except (ValueError, binascii.Error):
        return None
    return (name, int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None


def row_id(global_id: str, type_name: str, *, field: tuple[str | int, ...] = ("id",)) -> int:
    """The number in an id of `type_name`; raises NotFound for any other, as for one that does not exist."""
    parsed = parse_id(global_id)
    if parsed is None or parsed[0] != type_name:
        raise NotFound(thing_named(type_name), field=field)
    return parsed[1]


def row_id_or_zero(global_id: str, type_name: str) -> int:
    """The number in an id of `type_name`; 0, which no row has, for any other.

    So the domain refuses what is no id as it refuses what does not exist, with all else that is wrong.
    """
    parsed = parse_id(global_id)
    return parsed[1] if parsed is not None and parsed[0] == type_name else 0

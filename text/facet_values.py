"""How the values of attributes are written where they are compared as texts."""

from decimal import Decimal


def write_number(number: Decimal) -> str:
    """The number without an exponent and without trailing zeros."""
    text = f"{number + 0:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

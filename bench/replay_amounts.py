"""How amounts and units are divided for the payments and parcels of a replay."""

from collections.abc import Mapping, Sequence
from typing import Any

Fields = Mapping[str, Any]


def cents_of(money: Fields) -> int:
    return round(float(money["amount"]) * 100)


def share_payments(methods: Sequence[str], cents: int) -> list[dict[str, Any]]:
    """Payments of equal amounts, with odd cents on the first; none of nothing."""
    share = cents // len(methods)
    amounts = [cents - share * (len(methods) - 1), *[share] * (len(methods) - 1)]
    return [
        {"method": method, "amount": {"amount": f"{amount / 100:.2f}", "currencyCode": "CNY"}}
        for method, amount in zip(methods, amounts, strict=True)
        if amount
    ]


def divide(lines: Sequence[Fields], parcels: int) -> list[list[Fields]]:
    """Lines of a delivery in at most so many parcels; the units of the first line are divided over them."""
    first, *rest = lines
    if parcels < 2 or first["quantity"] < 2:
        return [list(lines)]
    half = first["quantity"] // 2
    return [[{**first, "quantity": half}], [{**first, "quantity": first["quantity"] - half}, *rest]]

"""Sums that come out to the last cent."""

from collections.abc import Sequence

from models import Money


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` minor units in proportion to `weights`; the parts add up to it exactly.

    Largest remainder (Hamilton): everybody gets the whole part of their share, the units that are left
    go to the largest fractions, the earlier one first where they are equal.
    """
    if total < 0:
        return [-part for part in apportion(-total, weights)]
    whole = sum(weights)
    if not whole:
        if total:
            raise ValueError(f"nothing to share {total} among")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def words(money: Money) -> str:
    """An amount as a sentence says it."""
    return f"{money.amount} {money.currency.value}"

"""Splitting amounts of money."""

from collections.abc import Sequence


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` minor units in proportion to `weights`; the parts add up to it exactly.

    Largest remainder method (Hamilton): each part is rounded down, the units that are left go to the largest
    fractions, the earlier one first where they are equal. Raises ValueError where all weights are 0 and
    `total` is not.
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

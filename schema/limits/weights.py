"""What a selection counts, as a sum that the variables of a request complete."""

from collections.abc import Mapping
from dataclasses import dataclass

from resolvers.errors import Message
from schema.limits.refusals import refuse_size

CEILING = 1e15
"""The largest cost that is told; above it numbers are not exact in JSON."""


@dataclass(frozen=True, slots=True)
class VariableRows:
    """As many rows as a variable says."""

    name: str
    default: float
    """The rows when the variable has no value."""
    limit: float

    def rows_in(self, variables: Mapping[str, object]) -> float:
        """The rows that these values ask for; `limit` for a value that is no number and no list.

        OperationRefused for a longer list, before any of its entries is read.
        """
        value = variables.get(self.name)
        if value is None:
            return self.default
        if isinstance(value, list):
            if len(value) > self.limit:
                raise refuse_size(Message("entries in ${name}", name=self.name), int(self.limit))
            return float(len(value))
        if isinstance(value, int):
            return float(min(max(value, 0), self.limit))
        return self.limit


@dataclass(frozen=True, slots=True)
class MostRows:
    """As many rows as the largest of several arguments says, such as `first` and `last`."""

    parts: tuple[float | VariableRows, ...]
    default: float
    """The rows when none of them has a value."""

    def rows_in(self, variables: Mapping[str, object]) -> float:
        """The rows that these values of the variables ask for."""
        rows = (each if isinstance(each, float) else each.rows_in(variables) for each in self.parts)
        return max(rows) or self.default


Factor = float | VariableRows | MostRows


class Weight:
    """A number plus other weights, each times a factor; the weight of a fragment has many parents."""

    __slots__ = ("constant", "parts")

    def __init__(self, constant: float = 0.0) -> None:
        self.constant = constant
        self.parts: list[tuple[Factor, Weight]] = []

    @property
    def is_zero(self) -> bool:
        return not self.constant and not self.parts

    def add(self, weight: "Weight", factor: Factor = 1.0) -> None:
        """Add a weight that is complete, times a factor."""
        if isinstance(factor, float) and not weight.parts:
            self.constant = min(self.constant + factor * weight.constant, CEILING)
        elif not weight.is_zero:
            self.parts.append((factor, weight))

    def total(self, variables: Mapping[str, object]) -> float:
        """The number for these variables; each weight is computed once, however many parents it has."""
        return self._total(variables, {})

    def _total(self, variables: Mapping[str, object], known: dict[int, float]) -> float:
        if not self.parts:
            return self.constant
        if (found := known.get(id(self))) is not None:
            return found
        result = self.constant
        for factor, weight in self.parts:
            rows = factor if isinstance(factor, float) else factor.rows_in(variables)
            result = min(result + rows * weight._total(variables, known), CEILING)
        known[id(self)] = result
        return result

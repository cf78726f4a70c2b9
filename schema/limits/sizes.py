"""How many rows the lists of the schema count as, and what fields cost; declared with each field.

The unit is 2.5 microseconds of processor time, about what a plain field takes (`python -m bench cost`).
"""

from dataclasses import dataclass
from typing import Final

FEW: Final = 3
"""Rows of a list that hardly ever has more, such as the options of a variant."""
SOME: Final = 10
"""Rows of a list such as the variants of a product or the lines of an order."""
MANY: Final = 20
"""Rows of a list such as all warehouses or the values of a facet."""
CLAIMS: Final = 60
"""Rows of a list of the lines of an order, three of them, each with twenty types and reasons of claims."""


@dataclass(frozen=True, slots=True)
class PageRows:
    """As many rows as the field above was asked for with `first` or `last`."""


@dataclass(frozen=True, slots=True)
class LengthOf:
    """As many rows as the list in an argument has entries."""

    argument: str


PAGE: Final = PageRows()

Size = int | PageRows | LengthOf
"""The rows of a list that has no argument `first` or `last`."""

HIGH_PRICE: Final = 100.0
"""From this price on, a field counts more when it is used again and again."""
ARGON2: Final = 2_300.0
"""The price of hashing a password: the processor time of thousands of fields, and memory."""
REPORT: Final = 100.0
"""The price of a report over all days and products, counted by the database."""
SEARCH: Final = 100.0
"""The price of a list that is filtered, sorted or searched for texts."""
SUGGESTIONS: Final = 2_300.0
"""The price of suggestions for a query that is still being typed: several searches with typo tolerance."""
RENDERING: Final = 20.0
"""The price of turning a Markdown text into HTML, or of comparing two texts."""
RUN_MAP: Final = 1_000.0
"""The price of drawing the map of a delivery run of thirty stops."""
JOURNEY_MAP: Final = 600.0
"""The price of drawing the way of a parcel across the country, with coasts and provinces."""
FACETS: Final = 300.0
"""The price of counting all products of a list by their attributes."""
IMPORT: Final = 1_000.0
"""The price of reading a product file."""
PRICING: Final = 50.0
"""The price of pricing a whole cart or order, with promotions and stock."""
QUOTES: Final = 600.0
"""The price of quoting all claims on an order of three lines."""
COUNT: Final = 5.0
"""The price of counting all rows of a list, or of a statement for each row."""
COMMAND: Final = 10.0
"""The price of a transaction that changes something."""

"""Comparing the statements of payment providers with the shop's books."""

from domain.payment.statement.comparison import COMPARED, EXPECTED, compare_page, find_unstated
from domain.payment.statement.differences import (
    find_open_differences,
    resolve_agreed,
    resolve_difference,
    store_differences,
)
from domain.payment.statement.entries import (
    Period,
    drop_replaced_lines,
    find_reading_moment,
    number_lines,
    store_lines,
)

__all__ = [
    "COMPARED",
    "EXPECTED",
    "Period",
    "compare_page",
    "drop_replaced_lines",
    "find_open_differences",
    "find_reading_moment",
    "find_unstated",
    "number_lines",
    "resolve_agreed",
    "resolve_difference",
    "store_differences",
    "store_lines",
]

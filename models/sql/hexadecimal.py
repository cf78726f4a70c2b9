"""Numbers and bytes as hexadecimal digits, so that a database can compare what is packed into bytes."""

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from models.sql.types import AnyColumn

BYTE = 0xFF


class hex_of_bytes(FunctionElement[str]):
    """Two lower-case digits for each byte."""

    type = String()
    inherit_cache = True


@compiles(hex_of_bytes, "postgresql")
def _bytes_for_postgresql(element: hex_of_bytes, compiler: SQLCompiler, **options: Any) -> str:
    return f"ENCODE({compiler.process(element.clauses, **options)}, 'hex')"


@compiles(hex_of_bytes, "sqlite")
def _bytes_for_sqlite(element: hex_of_bytes, compiler: SQLCompiler, **options: Any) -> str:
    return f"LOWER(HEX({compiler.process(element.clauses, **options)}))"


class hex_of_number(FunctionElement[str]):
    """Eight lower-case digits of a number below 2**32, the highest first."""

    type = String()
    inherit_cache = True


@compiles(hex_of_number, "postgresql")
def _number_for_postgresql(element: hex_of_number, compiler: SQLCompiler, **options: Any) -> str:
    return f"LPAD(TO_HEX({compiler.process(element.clauses, **options)}), 8, '0')"


@compiles(hex_of_number, "sqlite")
def _number_for_sqlite(element: hex_of_number, compiler: SQLCompiler, **options: Any) -> str:
    return f"PRINTF('%08x', {compiler.process(element.clauses, **options)})"


def hex_of_packed(number: AnyColumn) -> hex_of_number:
    """The digits of a number below 2**32 that is packed into four bytes, the lowest first."""
    first, second = number.bitwise_and(BYTE), (number // 0x100).bitwise_and(BYTE)
    third, fourth = (number // 0x1_0000).bitwise_and(BYTE), number // 0x100_0000
    return hex_of_number(first * 0x100_0000 + second * 0x1_0000 + third * 0x100 + fourth)

"""Names for SQL whose columns the type checker does not know."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

AnySelect = Select[*tuple[Any, ...]]
"""A SELECT of any columns."""
AnyExpression = ColumnElement[Any]
"""An expression of any type."""
AnyColumn = ColumnElement[Any] | InstrumentedAttribute[Any]
"""An expression of any type, or an attribute of a model."""
AnyRow = Sequence[Any]
"""A row of a result."""
AnyModel = type[Any]
"""A class whose instances are rows."""
AnyAttribute = InstrumentedAttribute[Any]
"""An attribute of a model."""
ColumnTypes = Mapping[str, TypeEngine[Any]]
"""Names of columns with their types."""
RowValues = Mapping[str, Any]
"""Values of a row by the names of its columns."""
NewRow = dict[str, Any]
"""The same, to be completed."""
Parameters = dict[str, Any]
"""Values of the parameters of a statement by their names."""

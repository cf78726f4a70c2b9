"""The base class of the groups, and the types of their fields."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

_TIMEDELTA = TypeAdapter(timedelta)


def _parse_duration(value: object) -> timedelta:
    """Read a plain number as seconds; pydantic parses ISO 8601 and HH:MM:SS."""
    with suppress(ValueError, OverflowError):
        if isinstance(value, str):
            value = timedelta(seconds=float(value))
    with suppress(ValidationError):
        duration = _TIMEDELTA.validate_python(value)
        if duration > timedelta():
            return duration
    raise PydanticCustomError("duration", "a time above zero: seconds, HH:MM:SS or ISO 8601, such as PT5M")


Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]


class SettingsGroup(BaseSettings):
    """The settings of one concern; the alias of each field is its environment variable."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    @classmethod
    def read(cls, env_file: str | None, overrides: Mapping[str, object]) -> Self:
        """Read the group; `overrides`, by variable in lower case, precede environment and file."""
        names = [str(field.validation_alias) for field in cls.model_fields.values()]
        values = {name: overrides[name.lower()] for name in names if name.lower() in overrides}
        # pydantic validates the values, whatever their types.
        return cls(_env_file=env_file, **values)  # type: ignore[arg-type]

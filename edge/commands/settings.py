"""Printing the settings: as a list to read, or as a file to fill in."""

import re
import sys
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from settings import Variable, list_variables

DURATIONS = (
    "A duration is a number of seconds (90, 0.5), hours, minutes and seconds (00:01:30), or ISO 8601:"
    " PT30M is 30 minutes, PT12H 12 hours, P7D 7 days."
)
PLAIN = re.compile(r"[\w./:@+-]*")
"""A value that a file of settings takes without quotes."""


def print_settings() -> None:
    """Print name, purpose and default of every setting; a name is never cut, however narrow the terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("variable", no_wrap=True, min_width=max(len(each.name) for each in list_variables()))
    table.add_column("what it is for", overflow="fold")
    table.add_column("when not set", overflow="fold")
    for variable in list_variables():
        table.add_row(variable.name, variable.description, written_value(variable.default) or "–")
    console = Console(file=sys.stdout, highlight=False, markup=False)
    console.print(table)
    console.print(f"\n{DURATIONS}")


def print_env_file() -> None:
    """Print a `.env` in which every setting is commented out and has its default."""
    sys.stdout.write("\n".join(env_lines()) + "\n")


def env_lines() -> list[str]:
    head = [f"# {line}" for line in ("Settings of Cartwheel. Remove the # before what you set.", DURATIONS)]
    entries = [line for variable in list_variables() for line in env_entry(variable)]
    return [*head, *entries]


def env_entry(variable: Variable) -> list[str]:
    value = written_value(variable.default)
    return [
        "",
        f"# {variable.description}",
        f"# {variable.name}={value if PLAIN.fullmatch(value) else repr(value)}",
    ]


WRITTEN: Mapping[bool, str] = {True: "true", False: "false"}


def written_value(value: object) -> str:
    """A value as the environment has it; empty where there is none."""
    match value:
        case None:
            return ""
        case bool():
            return WRITTEN[value]
        case timedelta():
            return f"{value.total_seconds():f}".rstrip("0").rstrip(".")
        case Enum():
            return str(value.value)
        case tuple():
            return ",".join(map(written_value, value))
        case SecretStr():
            return value.get_secret_value()
    return str(value)

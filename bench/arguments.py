"""The arguments of a bench: how many and which database; `--help` says what it does, and runs nothing."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arguments:
    """The numbers and the database URLs that a bench was given."""

    numbers: list[int]
    urls: list[str]


def create_parser(description: str | None) -> ArgumentParser:
    """A parser that answers `--help` with the description of a bench."""
    given = sys.argv[1:2]
    return ArgumentParser(
        prog=" ".join(["python -m bench", *given]) if given and given[0].isidentifier() else None,
        description=description,
        formatter_class=RawDescriptionHelpFormatter,
    )


def read_arguments(description: str | None) -> Arguments:
    """The arguments of the process; ends it where `--help` is asked for. Names of benches are left out."""
    parser = create_parser(description)
    parser.add_argument("values", nargs="*", metavar="NUMBER or URL", help="where the bench has some")
    given, _ = parser.parse_known_args()
    return Arguments(
        numbers=[int(each) for each in given.values if each.isdigit()],
        urls=[each for each in given.values if "://" in each],
    )

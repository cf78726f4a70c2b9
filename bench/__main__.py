"""`python -m bench` runs the bench `reads`, `python -m bench NAME` another one, `python -m bench all` all.

Database URLs, numbers and options behind the name are arguments of the bench itself, which answers `--help`
without running. Exits with 1 when one fails.
"""

import importlib
import sys
from itertools import takewhile
from pathlib import Path

from bench.arguments import create_parser

NOT_MEASURED = frozenset({"__main__", "checks_file"})
"""What has a `main` and is no bench: this file, and what writes a file."""

BENCHES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in NOT_MEASURED and "\ndef main(" in path.read_text("utf-8")
)

FIRST_PARTY = frozenset(path.stem for path in Path(__file__).parent.parent.iterdir())
"""Modules of the shop itself: what is missing of them is not installed."""


def main() -> int:
    arguments = [*takewhile(lambda each: not each.startswith("-"), sys.argv[1:])]
    if not arguments:
        parser = create_parser(__doc__)
        parser.epilog = f"There are: {', '.join(BENCHES)}."
        parser.parse_known_args()
    requested = [each for each in arguments if "://" not in each and not each.isdigit()] or ["reads"]
    names = BENCHES if requested == ["all"] else requested
    for name in names:
        if name not in BENCHES:
            print(f"There is no bench {name!r}. There are: {', '.join(BENCHES)}.", file=sys.stderr)
            return 2
    try:
        benches = [importlib.import_module(f"bench.{name}") for name in names]
    except ModuleNotFoundError as missing:
        if missing.name in FIRST_PARTY:
            raise
        print(f"A bench needs {missing.name}: `make .venv/.tools` installs it.", file=sys.stderr)
        return 2
    return 1 if [bench for bench in benches if bench.main()] else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m bench` runs the bench `reads`, `python -m bench NAME` another one, `python -m bench all` all.

Database URLs and numbers behind the name are arguments of the bench itself. Exits with 1 when one fails.
"""

import importlib
import sys
from pathlib import Path

BENCHES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem != "__main__" and "\ndef main(" in path.read_text("utf-8")
)

FIRST_PARTY = frozenset(path.stem for path in Path(__file__).parent.parent.iterdir())
"""Modules of the shop itself: what is missing of them is not installed."""


def main() -> int:
    arguments = [each for each in sys.argv[1:] if not each.startswith("--")]
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

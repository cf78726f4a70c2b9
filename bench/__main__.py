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


def main() -> int:
    requested = [each for each in sys.argv[1:] if "://" not in each and not each.isdigit()] or ["reads"]
    names = BENCHES if requested == ["all"] else requested
    for name in names:
        if name not in BENCHES:
            print(f"There is no bench {name!r}. There are: {', '.join(BENCHES)}.", file=sys.stderr)
            return 2
    failed = [name for name in names if importlib.import_module(f"bench.{name}").main()]
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

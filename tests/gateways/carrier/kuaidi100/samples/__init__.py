"""Pushes that kuaidi100 has really sent, as others have published them."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def read_sample(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return content


ABORTED = read_sample("aborted")
DELIVERED_2017 = read_sample("delivered_2017")
DELIVERED_2020 = read_sample("delivered_2020")

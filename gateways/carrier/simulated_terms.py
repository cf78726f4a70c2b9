"""What the simulated carrier does wrong when its row asks for it, the same each time: by a seed.

The row's service has the terms, such as "speed=60 delay=30 fail=20 late=20 twice=10 shuffle seed=7".
"""

import hashlib
import re
from dataclasses import dataclass, fields

from gateways.carrier.protocol import CarrierRefused

TERM = re.compile(r"(?P<name>[a-z]+)(?:=(?P<value>\d{1,6}))?")
WHOLE = 100


@dataclass(frozen=True, slots=True)
class SimulatedTerms:
    """Of each hundred events or parcels, so many; nothing by default."""

    speed: int = 0
    """Kilometres an hour along the way; 0 for one event after each step."""
    delay: int = 0
    """Percent of events before which the parcel lies still for some steps."""
    fail: int = 0
    """Percent of attempts to deliver that fail; another one follows a step later."""
    late: int = 0
    """Percent of events that are reported some steps after they happened."""
    twice: int = 0
    """Percent of events that are reported twice at once."""
    shuffle: int = 0
    """Whether events are reported in no order."""
    seed: int = 0

    def happens(self, percent: int, *about: object) -> bool:
        """Whether it happens here; always the same for the same seed and subject."""
        return self.draw(*about) % WHOLE < percent

    def draw(self, *about: object) -> int:
        text = ":".join(map(str, (self.seed, *about)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def read_terms(service: str) -> SimulatedTerms:
    """The terms in the service of a carrier's row; CarrierRefused for what is none."""
    known = {each.name for each in fields(SimulatedTerms)}
    values: dict[str, int] = {}
    for word in service.lower().split():
        term = TERM.fullmatch(word)
        if term is None or term["name"] not in known:
            raise CarrierRefused(f"The simulated carrier has no term {word[:40]}.")
        values[term["name"]] = 1 if term["value"] is None else int(term["value"])
    return SimulatedTerms(**values)

"""Who gives a command, and when."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """The moment of a command and the account that gives it; None for the shop itself and for guests."""

    now: datetime
    by: int | None = None

    @property
    def automatic(self) -> "Cause":
        """The same moment by nobody, for what the shop does itself as a consequence."""
        return replace(self, by=None)

    @property
    def person(self) -> int:
        """The account; raises ValueError where there is none."""
        if self.by is None:
            raise ValueError("only somebody who has signed in can do this")
        return self.by

"""THE TABLE: what follows after commit."""

from collections.abc import Mapping, Sequence

from events.reaction import Reaction

REACTIONS: Mapping[str, Sequence[Reaction]] = {}

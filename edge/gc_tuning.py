"""Settings of the garbage collector for serving processes (docs/decisions/0013)."""

import gc

THRESHOLDS = (10_000, 20, 100)
"""New objects before a collection of the youngest generation: few, so that each collection is short."""


def tune_garbage_collector() -> None:
    """Exempt all objects made so far from collection, and start collecting by THRESHOLDS."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.enable()

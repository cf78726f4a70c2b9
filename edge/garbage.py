"""The garbage collector of a process that serves (docs/decisions/0013)."""

import gc

COLLECTED_AFTER = (10_000, 20, 100)
"""Young objects before the collector looks for cycles: few, so that no request waits long for it."""


def settled() -> None:
    """Started: what is there stays, so only what comes from now on is looked through for garbage."""
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    gc.enable()

"""Takes any steps of an order's life in any order: `python -m bench sequences [HOW MANY] [URL]`.

Hypothesis chooses what customer, staff, carriers and the provider do, also what the shop refuses. After each
step money and goods must be where the steps have brought them, and after each sequence the order must end
with books that agree; the shortest sequence that breaks this is printed. The database is an empty one of
PostgreSQL or SQLite; without a URL, an SQLite file in a temporary folder.
"""

import logging
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from bench.arguments import read_arguments
from bench.sequence_rules import OrderSequence
from bench.sequence_stage import SequenceStage, open_stage
from edge.gc_tuning import tune_garbage_collector
from migrations.runner import upgrade

SEQUENCES = 200
STEPS = 30
"""The most steps of a sequence."""


def try_sequences(
    url: str, folder: Path, *, sequences: int, steps: int = STEPS, anew: bool = True
) -> SequenceStage:
    """Raise what is wrong after the shortest sequence that was found, in a migrated database without orders.

    anew: try other sequences than the last time
    """
    tried = settings(
        max_examples=sequences,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not anew,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if anew else [Phase.generate],
    )
    with open_stage(url, folder) as stage:
        run_state_machine_as_test(lambda: OrderSequence(stage), settings=tried)  # type: ignore[arg-type]
    return stage


def main() -> int:
    arguments = read_arguments(__doc__)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    tune_garbage_collector()  # which imports leave off, as in a server before it serves
    sequences, given = next(iter(arguments.numbers), SEQUENCES), next(iter(arguments.urls), None)
    began = time.perf_counter()
    with TemporaryDirectory() as folder:
        url = given or f"sqlite+aiosqlite:///{folder}/sequences.db"
        upgrade(url)
        stage = try_sequences(url, Path(folder), sequences=sequences)
    for name in sorted(stage.taken | stage.refused):
        print(f"{name.replace('_', ' '):24} done {stage.taken[name]:6} refused {stage.refused[name]:6}")
    print(", ".join(f"{end} {number}" for end, number in sorted(stage.ends.items())))
    print(f"{sequences} sequences in {time.perf_counter() - began:.0f} s: all ended, and all books agree")
    return 0

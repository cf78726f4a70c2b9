"""Any sequence of steps keeps money and goods, and ends its order; the bench tries hundreds of them."""

import asyncio
from pathlib import Path

from bench.sequence_stage import SequenceStage
from bench.sequences import try_sequences

SEQUENCES = 8
FOUND = {"pay", "deliver_everything"}
"""What even a few sequences come to, whichever hypothesis chooses."""


async def test_any_sequence_of_steps_ends_its_order_and_the_books_agree(
    new_postgres_url: str, tmp_path: Path
) -> None:
    def try_some() -> SequenceStage:
        return try_sequences(new_postgres_url, tmp_path, sequences=SEQUENCES, steps=20, anew=False)

    stage = await asyncio.to_thread(try_some)  # it has an event loop of its own

    assert {name for name in FOUND if not stage.taken[name]} == set()
    assert stage.ends.total() >= SEQUENCES

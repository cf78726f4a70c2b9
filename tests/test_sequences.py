"""Any sequence of steps keeps money and goods, and ends its order; the bench tries hundreds of them."""

from pathlib import Path

from bench.sequences import try_sequences

SEQUENCES = 8
FOUND = {"pay", "deliver_everything", "claim", "answer", "send_back"}
"""What a few sequences are long enough to come to."""


def test_any_sequence_of_steps_ends_its_order_and_the_books_agree(
    new_postgres_url: str, tmp_path: Path
) -> None:
    stage = try_sequences(new_postgres_url, tmp_path, sequences=SEQUENCES, steps=20, anew=False)

    assert {name for name in FOUND if not stage.taken[name]} == set()
    assert stage.ends.total() >= SEQUENCES

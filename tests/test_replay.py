"""Orders of all kinds are driven to their ends, on both databases; the bench replays thousands of them."""

from pathlib import Path

from bench.replay import replay
from bench.replay_kinds import KINDS


async def test_orders_of_every_kind_end_and_the_books_agree(database_url: str, tmp_path: Path) -> None:
    result = await replay(database_url, tmp_path, orders=len(KINDS))

    assert (result.unended, result.disagreements, result.refused) == ([], [], [])
    assert {kind for kind, _ in result.ends} == {story.__name__ for story in KINDS}

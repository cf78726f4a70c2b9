"""A payment provider that answers nothing holds up nobody else; a bench measures it and finds who waits."""

from pathlib import Path

from bench.providers_stall import SEED, STALLED, StallPlan, StallResult, find_wrong_waits, pool, run_stall

SMALL = StallPlan(turns=2, turn_seconds=6.0, rest_seconds=1.0, warm_seconds=1.0)


async def test_others_are_served_while_a_provider_answers_nothing(tmp_path: Path) -> None:
    result = await run_stall(SMALL, SEED, tmp_path)

    assert result.wrong == []
    for turns in (result.answering, result.stalled):
        assert pool(turns, "order placed")
        assert pool(turns, "payment started")
        assert pool(turns, "events relayed")
        assert pool(turns, "refund made")


def test_what_takes_longer_while_a_provider_answers_nothing_is_named() -> None:
    waits = {"refund made": [0.1] * 100, "order placed": [0.1] * 100}
    slower = {"refund made": [0.1] * 98 + [0.2] * 2, "order placed": [0.119] * 100}

    assert find_wrong_waits(StallResult([waits], [waits])) == []
    assert find_wrong_waits(StallResult([waits], [slower])) == [
        f"refund made: p99 is 2.00 times as long while {STALLED} answers nothing"
    ]
    assert find_wrong_waits(StallResult([waits], [{}])) == [
        f"refund made: never while {STALLED} answers nothing",
        f"order placed: never while {STALLED} answers nothing",
    ]

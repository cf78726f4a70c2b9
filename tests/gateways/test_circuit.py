"""A partner that does not answer is left alone for a while, then tried with one call."""

import pytest

from gateways.circuit import FAILURES_LIMIT, LONGEST_PAUSE_SECONDS, CircuitBreaker
from tests.gateways.conftest import Seconds


@pytest.fixture
def breaker(seconds: Seconds) -> CircuitBreaker:
    return CircuitBreaker(clock=seconds, random=lambda: 0.0)


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        assert breaker.enter()
        breaker.leave(answered=False)


def test_one_call_in_vain_stops_nothing(breaker: CircuitBreaker) -> None:
    fail(breaker, FAILURES_LIMIT - 1)
    assert (breaker.is_closed, breaker.is_paused, breaker.enter()) == (True, False, True)


def test_an_answer_between_failures_begins_the_count_anew(breaker: CircuitBreaker) -> None:
    fail(breaker, FAILURES_LIMIT - 1)
    breaker.leave(answered=True)
    fail(breaker, FAILURES_LIMIT - 1)
    assert breaker.is_closed


def test_after_failures_in_a_row_no_call_is_made_for_five_seconds(
    breaker: CircuitBreaker, seconds: Seconds
) -> None:
    fail(breaker, FAILURES_LIMIT)
    assert not breaker.enter()
    seconds.now += 4.9
    assert breaker.is_paused
    seconds.now += 0.1
    assert not breaker.is_paused


def test_after_a_pause_one_call_is_made_and_the_others_wait_for_it(
    breaker: CircuitBreaker, seconds: Seconds
) -> None:
    fail(breaker, FAILURES_LIMIT)
    seconds.now += 5.0
    assert breaker.enter()
    assert (breaker.is_paused, breaker.enter()) == (True, False)
    breaker.leave(answered=True)
    assert (breaker.is_closed, breaker.enter(), breaker.enter()) == (True, True, True)


def test_each_pause_is_twice_as_long_as_the_one_before_up_to_two_minutes(
    breaker: CircuitBreaker, seconds: Seconds
) -> None:
    fail(breaker, FAILURES_LIMIT)
    pauses = []
    for _ in range(6):
        pauses.append(breaker.paused_until - seconds.now)
        seconds.now = breaker.paused_until
        fail(breaker)
    assert pauses == [5, 10, 20, 40, 80, LONGEST_PAUSE_SECONDS]


def test_pauses_of_processes_differ_by_up_to_half(seconds: Seconds) -> None:
    breaker = CircuitBreaker(clock=seconds, random=lambda: 1.0)
    fail(breaker, FAILURES_LIMIT)
    assert breaker.paused_until - seconds.now == 2.5


def test_a_call_that_was_given_up_says_nothing_about_the_partner(
    breaker: CircuitBreaker, seconds: Seconds
) -> None:
    for _ in range(FAILURES_LIMIT * 2):
        assert breaker.enter()
        breaker.leave(answered=None)
    fail(breaker, FAILURES_LIMIT)
    seconds.now += 5.0
    assert breaker.enter()
    breaker.leave(answered=None)
    assert breaker.enter()

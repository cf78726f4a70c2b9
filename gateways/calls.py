"""Calls to partners are counted, timed and traced, and not made while a partner does not answer."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from gateways.circuit import CircuitBreaker
from gateways.metrics import Metrics
from gateways.tracing import Tracer, open_span

CALL_SECONDS = 30.0
"""How long a call to a provider or a carrier may take in all, with everything it consists of."""

Refusals = type[Exception] | tuple[()]
"""A class of errors, or none."""

SEARCH = "search"
"""The partner that is asked for what is found."""

LONGEST_SEARCH_PAUSE_SECONDS = 10.0
"""How long the search is left alone at most: nothing is found meanwhile."""


def new_breakers() -> dict[str, CircuitBreaker]:
    breakers: defaultdict[str, CircuitBreaker] = defaultdict(CircuitBreaker)
    breakers[SEARCH] = CircuitBreaker(longest_pause=LONGEST_SEARCH_PAUSE_SECONDS)
    return breakers


@dataclass(frozen=True, slots=True)
class CallErrors:
    """What a kind of partner raises."""

    not_called: type[Exception]
    """The call was not made, since the partner has not answered for some time."""

    too_late: type[Exception]
    """No answer came in time."""

    refused: Refusals = ()
    """The partner answered, and did not do what it was asked."""


@dataclass(frozen=True, slots=True)
class CallObserver:
    """Measures the calls of one process to its partners, and leaves those alone that do not answer."""

    metrics: Metrics
    tracer: Tracer | None = None
    breakers: dict[str, CircuitBreaker] = field(default_factory=new_breakers)
    """By payment method, by the queue of each carrier, and of the search."""

    @contextmanager
    def observe(self, kind: str, partner: str, call: str, refused: Refusals = ()) -> Iterator[None]:
        """Measure the block: "ok", "refused" where the partner said no, "failed" where it did not answer."""
        began, outcome = perf_counter(), "failed"
        try:
            with open_span(self.tracer, f"{kind} {partner} {call}"):
                yield
            outcome = "ok"
        except Exception as error:
            if isinstance(error, refused):
                outcome = "refused"
            raise
        finally:
            self.metrics.gateway_calls.at(kind, partner, call, outcome).add(perf_counter() - began)

    @asynccontextmanager
    async def call_partner(
        self,
        kind: str,
        partner: str,
        call: str,
        errors: CallErrors,
        *,
        queue: str | None = None,
        seconds: float | None = CALL_SECONDS,
    ) -> AsyncIterator[None]:
        """Measure a call to a partner whose breaker is that of its queue, else of its name.

        Raises what `errors` names where the call is not made or takes longer than its seconds.
        """
        breaker = self.breakers[queue or partner]
        answered: bool | None = False
        if not breaker.enter():
            raise errors.not_called(f"{partner} has not answered for some time")
        try:
            with self.observe(kind, partner, call, errors.refused):
                async with asyncio.timeout(seconds):
                    yield
            answered = True
        except errors.refused:
            answered = True
            raise
        except asyncio.CancelledError:
            answered = None  # whoever asked has gone: that says nothing about the partner
            raise
        except TimeoutError as error:
            raise errors.too_late(f"{partner} takes too long") from error
        finally:
            breaker.leave(answered=answered)

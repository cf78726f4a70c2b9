"""What a reaction is: an effect of an event, with a name that says it was had."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from events.shop import Shop
from models import Event

InsideEffect = Callable[[AsyncSession, Event, Shop], Awaitable[None]]
OutsideEffect = Callable[[Event, Shop], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Inside:
    """An effect on our own rows: commits together with the note that it was had, so exactly once."""

    effect: InsideEffect

    @property
    def name(self) -> str:
        return self.effect.__name__


@dataclass(frozen=True, slots=True)
class Outside:
    """An effect that calls the outside, with no transaction open: it must bear being repeated."""

    effect: OutsideEffect

    @property
    def name(self) -> str:
        return self.effect.__name__


Reaction = Inside | Outside

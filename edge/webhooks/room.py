"""Room for what is being received: bodies that are not judged yet take memory, whoever sends them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class NoRoomLeft(Exception):
    """A body of which no more can be received at the moment."""


class BodyRoom:
    """How many bytes of bodies one process holds at once, in all and of each address."""

    def __init__(self, limit: int, limit_of_address: int) -> None:
        self.limit = limit
        self.limit_of_address = limit_of_address
        self.taken = Counter[str]()
        """By address; one that holds nothing is not in it."""

    @contextmanager
    def hold(self, address: str) -> Iterator["HeldBody"]:
        """Room for one body of an address, which is given back in the end."""
        body = HeldBody(self, address)
        try:
            yield body
        finally:
            self.give_back(body)

    def take(self, address: str, size: int) -> None:
        """NoRoomLeft where so many bytes more of an address would be too many."""
        of_address = self.taken[address] + size
        if of_address > self.limit_of_address or self.taken.total() + size > self.limit:
            raise NoRoomLeft
        self.taken[address] = of_address

    def give_back(self, body: "HeldBody") -> None:
        self.taken[body.address] -= body.size
        if not self.taken[body.address]:
            del self.taken[body.address]


class HeldBody:
    """The room that one body takes while it arrives and until it is judged."""

    def __init__(self, room: BodyRoom, address: str) -> None:
        self.room = room
        self.address = address
        self.size = 0

    def grow(self, size: int) -> None:
        """Take room for so many bytes more; NoRoomLeft where there is none."""
        self.room.take(self.address, size)
        self.size += size

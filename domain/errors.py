"""The shop's refusals: exceptions with a code for programs and a message for customers."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import ParamSpec, TypeVar

from text.messages import Fact, Localized, Message


class ErrorCode(StrEnum):
    """Why the shop refused, for programs."""

    INVALID = "INVALID"
    """A value is malformed or out of its limits."""
    NOT_FOUND = "NOT_FOUND"
    """There is no such thing, or it is not yours."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """Sign in first."""
    FORBIDDEN = "FORBIDDEN"
    """Your role may not do this."""
    WRONG_STATE = "WRONG_STATE"
    """The thing is not in a state that allows this."""
    CONFLICT = "CONFLICT"
    """Somebody else changed it meanwhile; read it again."""
    TAKEN = "TAKEN"
    """Another one already has this name, number or address."""
    LIMIT_REACHED = "LIMIT_REACHED"
    """More than the shop allows at once."""
    OUT_OF_STOCK = "OUT_OF_STOCK"
    """Fewer are left than were asked for."""
    NOT_FOR_SALE = "NOT_FOR_SALE"
    """It is not sold any more, or not in this currency."""
    IMPOSSIBLE_COORDINATES = "IMPOSSIBLE_COORDINATES"
    """There is no such place on the earth, or nobody lives there."""
    FAR_FROM_ADDRESS = "FAR_FROM_ADDRESS"
    """The coordinates are far from the city or district of the address, or in another country."""
    WINDOW_REVERSED = "WINDOW_REVERSED"
    """The window ends before it begins."""
    WINDOW_PAST = "WINDOW_PAST"
    """The window has passed."""
    WINDOW_TOO_SHORT = "WINDOW_TOO_SHORT"
    """The window is too short for a courier to come."""
    WINDOW_TOO_FAR = "WINDOW_TOO_FAR"
    """The window is too far ahead."""
    EMPTY = "EMPTY"
    """It has no content."""
    CONFIRMATION_REQUIRED = "CONFIRMATION_REQUIRED"
    """The buyer has to confirm something first, such as that goods cannot be returned without a reason."""
    NOT_DELIVERABLE = "NOT_DELIVERABLE"
    """Nothing is sent there, or not by this method."""
    COUPON_REFUSED = "COUPON_REFUSED"
    """The coupon does not apply."""
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    """The amounts do not add up to what is due."""
    KEY_REUSED = "KEY_REUSED"
    """The idempotency key was used for something else."""
    CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"
    """Name and password do not fit, or the token is no longer good."""
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"
    """A code of the authenticator app is missing, or the app must be set up first."""
    CERTIFICATE_REQUIRED = "CERTIFICATE_REQUIRED"
    """It takes the certificate of a course, which you or the assignee do not hold."""
    NOBODY_CERTIFIED = "NOBODY_CERTIFIED"
    """Nobody who could do it holds the certificate; say `force` to require it all the same."""
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    """The rules of after-sales do not allow it."""
    OFF_SHIFT = "OFF_SHIFT"
    """The courier does not work at that time."""
    SKILL_MISSING = "SKILL_MISSING"
    """The courier may not bring such parcels."""
    IMPLAUSIBLE = "IMPLAUSIBLE"
    """It cannot be true, such as a courier who would have driven at 5,000 km/h."""
    RELOAD_REQUIRED = "RELOAD_REQUIRED"
    """The versions asked for are archived: load the thing anew, and watch from the version it has."""
    BUSY = "BUSY"
    """Too many requests at this moment; try again after `retryAfterSeconds`."""
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    """A partner of the shop does not answer; try again."""
    PROVIDER_REFUSED = "PROVIDER_REFUSED"
    """A partner of the shop refused."""


CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

P = ParamSpec("P")
T = TypeVar("T")

Path = tuple[str | int, ...]
"""The path of an argument, in snake case."""


def thing_named(type_name: str) -> Message:
    """The term for things of a type: "OrderLine" is an "order line"."""
    return Message(CAPITAL.sub(" ", type_name).lower())


class DomainError(Exception):
    """A refusal, worded for customers: the template of a message in English, with its facts.

    The template is a literal, and the catalogue has it in every other language. `field` is the path of the
    argument it is about.
    """

    code: ErrorCode = ErrorCode.INVALID
    retry_after_seconds: float | None = None
    """After how long trying again makes sense, where that is known."""

    def __init__(
        self, template: str | Message, /, *, field: Path = (), plural: str = "", **facts: Fact
    ) -> None:
        if isinstance(template, str):
            template = Message(template, plural=plural, **facts)
        self.message = template
        super().__init__(self.message)
        self.field = field

    @property
    def each(self) -> "tuple[DomainError, ...]":
        """The refusals it consists of: itself, or all of a form."""
        return (self,)

    @property
    def extensions(self) -> dict[str, str]:
        """What GraphQL shows beside the message of a refused query; mutations answer with `userErrors`."""
        return {"code": self.code.value}


class Invalid(DomainError):
    code = ErrorCode.INVALID


class NotFound(DomainError):
    """`thing` is a term in English, which the catalogue has, or one with facts."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, thing: str | Message, /, *, field: Path = ()) -> None:
        term = thing if isinstance(thing, Message) else Message(thing)
        super().__init__("There is no such {thing}.", thing=term, field=field)


class Unauthenticated(DomainError):
    code = ErrorCode.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("Please sign in first.")


class Forbidden(DomainError):
    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("You may not do this.")


class WrongState(DomainError):
    code = ErrorCode.WRONG_STATE


class Conflict(DomainError):
    code = ErrorCode.CONFLICT


class ReloadRequired(DomainError):
    """A watcher asks for versions that are no longer sent."""

    code = ErrorCode.RELOAD_REQUIRED

    def __init__(self) -> None:
        super().__init__(
            "The events after this version are archived: load it anew and watch from its present version.",
            field=("after",),
        )


class Taken(DomainError):
    code = ErrorCode.TAKEN


class LimitReached(DomainError):
    code = ErrorCode.LIMIT_REACHED

    def __init__(
        self,
        template: str | Message,
        /,
        *,
        field: Path = (),
        retry_after_seconds: float | None = None,
        plural: str = "",
        **facts: Fact,
    ) -> None:
        super().__init__(template, field=field, plural=plural, **facts)
        self.retry_after_seconds = retry_after_seconds


class NotForSale(DomainError):
    code = ErrorCode.NOT_FOR_SALE


class OutOfStock(DomainError):
    code = ErrorCode.OUT_OF_STOCK

    def __init__(
        self,
        name: str | Localized,
        *,
        left: int,
        variant_id: int | None = None,
        field: Path = ("quantity",),
    ) -> None:
        template = "Only {left} of {name} left." if left else "{name} is sold out."
        super().__init__(template, left=left, name=name, field=field)
        self.name, self.left, self.variant_id = name, left, variant_id

    def of_line(self, index: int) -> "OutOfStock":
        """The same refusal for an order that has the variant on line `index`."""
        field = ("lines", index, "quantity")
        return OutOfStock(self.name, left=self.left, variant_id=self.variant_id, field=field)


REFUSALS_LIMIT = 100
"""Refusals that one form is answered with; those after them come when these are mended."""


class Refusals(DomainError):
    """Several refusals of one form; its own code, message and field are those of the first."""

    def __init__(self, refusals: Sequence[DomainError]) -> None:
        first = refusals[0]
        super().__init__(first.message, field=first.field)
        self.code, self.retry_after_seconds = first.code, first.retry_after_seconds
        self.found = tuple(refusals)

    @property
    def each(self) -> tuple[DomainError, ...]:
        return self.found


def combine_refusals(refusals: Sequence[DomainError]) -> DomainError:
    """One refusal for all of them; one alone stays as it is."""
    return refusals[0] if len(refusals) == 1 else Refusals(refusals)


class RefusalCollector:
    """Checks that do not depend on each other, each `with check:`; what they refuse is raised together.

    What a check computes is used after the collector's block, which is left by raising if any check refused.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[object, ...], DomainError] = {}

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, DomainError):
            return False
        self.add(error)
        return True

    def value(self, compute: Callable[P, T], otherwise: T, *args: P.args, **kwargs: P.kwargs) -> T:
        """What a check computes; `otherwise` where it refuses, so that the checks after it can be made."""
        with self:
            return compute(*args, **kwargs)
        return otherwise

    def add(self, *refusals: DomainError) -> None:
        """Keep these refusals, each once, until the block ends."""
        for refusal in refusals:
            for each in refusal.each:
                self.found.setdefault((each.code, each.field, str(each)), each)

    def raise_found(self) -> None:
        """Raise what has been refused so far, if anything: what comes next depends on it."""
        if found := list(self.found.values())[:REFUSALS_LIMIT]:
            raise combine_refusals(found)


@contextmanager
def collect_refusals() -> Iterator[RefusalCollector]:
    """Let every check in the block be made, then raise all refusals together; one alone is raised as it is.

    A refusal raised in the block outside of any check is the last one.
    """
    collector = RefusalCollector()
    try:
        yield collector
    except DomainError as refusal:
        collector.add(refusal)
    collector.raise_found()

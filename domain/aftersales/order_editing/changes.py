"""What is to be changed on an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.address import PostalAddress
from domain.errors import Invalid, LimitReached
from domain.order.basket import LINES_LIMIT


@dataclass(frozen=True, slots=True)
class LineChange:
    """How many units of an order line there are to be, or of another variant in its place."""

    order_line_id: int
    quantity: int
    """Of those that were neither cancelled nor returned; 0 takes the line off the order."""
    variant_id: int | None = None


@dataclass(frozen=True, slots=True)
class LineAddition:
    """Units of a variant to be added."""

    variant_id: int
    quantity: int
    delivery_id: int | None = None
    """Where they go; None where there is one delivery only."""


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """All that is to be changed in one step."""

    lines: Sequence[LineChange] = ()
    additions: Sequence[LineAddition] = ()
    addresses: Mapping[int, PostalAddress] = field(default_factory=dict)
    """Where deliveries go, by their ids."""
    add_codes: Sequence[str] = ()
    """As they are stored (`normalize_codes`)."""
    remove_codes: Sequence[str] = ()

    @property
    def only_addresses(self) -> bool:
        """Whether nothing but addresses is changed: the goods then cost what they cost."""
        return not (self.lines or self.additions or self.add_codes or self.remove_codes)

    def check(self) -> None:
        """Refuse malformed changes; whether they can be made depends on the order."""
        if self.only_addresses and not self.addresses:
            raise Invalid("Say what is to be changed.", field=("changes",))
        if len(self.lines) > LINES_LIMIT or len(self.additions) > LINES_LIMIT:
            raise LimitReached("An order has at most {limit} lines.", limit=LINES_LIMIT, field=("changes",))
        seen = set()
        for index, line in enumerate(self.lines):
            if line.order_line_id in seen:
                raise Invalid("Name each line once.", field=("changes", "lines", index, "order_line_id"))
            seen.add(line.order_line_id)

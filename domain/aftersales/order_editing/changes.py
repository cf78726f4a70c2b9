"""What is to be changed on an order."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from domain.address import PostalAddress
from domain.errors import DomainError, Invalid, LimitReached
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
    refused: Sequence[DomainError] = ()
    """What of the form was refused before: it is raised with what is refused of the rest."""

    @property
    def content(self) -> dict[str, object]:
        """What an idempotency key stands for."""
        return {
            "lines": [asdict(each) for each in self.lines],
            "additions": [asdict(each) for each in self.additions],
            "addresses": {id: asdict(address) for id, address in self.addresses.items()},
            "add_codes": self.add_codes,
            "remove_codes": self.remove_codes,
        }

    @property
    def only_addresses(self) -> bool:
        """Whether nothing but addresses is changed: the goods then cost what they cost."""
        return not (self.lines or self.additions or self.add_codes or self.remove_codes)

    def check(self) -> None:
        """Refuse malformed changes; whether they can be made depends on the order."""
        if self.only_addresses and not self.addresses and not self.refused:
            raise Invalid("Say what is to be changed.", field=("changes",))
        if len(self.lines) > LINES_LIMIT or len(self.additions) > LINES_LIMIT:
            raise LimitReached("An order has at most {limit} lines.", limit=LINES_LIMIT, field=("changes",))

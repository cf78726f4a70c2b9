"""The parts of a postal address, and what is said about them."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import Invalid
from domain.incoming_text import Field
from geo import AmbiguousArea
from models import CoordinateSource
from text.messages import Message

ALLOWED_NAMES_LIMIT = 60
"""How many allowed names an error message lists."""

TERMS = {
    "recipient": Message("recipient"),
    "phone": Message("phone number"),
    "province": Message("province"),
    "city": Message("city"),
    "district": Message("district"),
    "line1": Message("line"),
    "postal_code": Message("postal code"),
}
"""What a customer calls each part of an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """Where a parcel goes and who receives it."""

    recipient: str
    phone: str
    country_code: str
    province: str
    city: str
    district: str
    line1: str
    line2: str
    postal_code: str
    latitude: float | None = None
    longitude: float | None = None
    coordinate_source: CoordinateSource | None = None
    preferred_from: str | None = None
    """From which time of a day somebody is there, such as "18:00", in the shop's time zone."""
    preferred_until: str | None = None

    @property
    def place(self) -> tuple[str, ...]:
        """What a geocoder looks for: where that is the same, so are the coordinates."""
        return self.country_code, self.province, self.city, self.district, self.line1


def term_for(name: str) -> Message:
    return TERMS[name]


def missing_part_error(name: str, field: Field) -> Invalid:
    return Invalid("An address needs its {part}.", part=term_for(name), field=(*field, name))


def ambiguous_area_error(several: AmbiguousArea, field: Field) -> Invalid:
    return Invalid(
        "Several places have this name. Write which one is meant: {names}.",
        names=list_places(several.allowed),
        field=(*field, several.level),
    )


def list_places(names: Sequence[str]) -> Message:
    """At most ALLOWED_NAMES_LIMIT names, each once."""
    listed = ", ".join(dict.fromkeys(names[:ALLOWED_NAMES_LIMIT]))
    if len(names) > ALLOWED_NAMES_LIMIT:
        return Message("{names} and others", names=listed)
    return Message("{names}", names=listed)

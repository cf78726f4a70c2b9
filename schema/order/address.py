"""Where a delivery goes, and when it is to come."""

from datetime import datetime

import models
from schema.rows import row_type


@row_type(models.AddressColumns)
class PostalAddress:
    """The address of a parcel, as it was written when the order was placed."""

    recipient: str
    """Who receives the parcel."""
    phone: str
    """The number the courier calls, in E.164."""
    country_code: str
    """The ISO 3166 code of the country."""
    province: str
    """Province, state or municipality; empty where there is none."""
    city: str
    """City or prefecture."""
    district: str
    """District or county; empty where there is none."""
    line1: str
    """Street, house and door."""
    line2: str
    """Further lines of the address; may be empty."""
    postal_code: str
    """Postal code; may be empty."""
    latitude: float | None
    """Degrees north (WGS 84); null where it is not known."""
    longitude: float | None
    """Degrees east (WGS 84); null where it is not known."""
    coordinate_source: models.CoordinateSource | None
    """From whom the coordinates are known; null where there are none, or it was not kept yet."""
    preferred_from: str | None
    """From which time of a day somebody is there, such as "18:00", in the shop's time zone; null for any."""
    preferred_until: str | None
    """Until which time of a day; null for any."""


@row_type(models.DeliveryWindow)
class DeliveryWindow:
    """A span of time in which something is to come."""

    begins: datetime
    """When it may come at the earliest."""
    ends: datetime
    """When it may come at the latest."""

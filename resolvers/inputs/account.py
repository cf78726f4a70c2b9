"""Inputs of addresses."""

from domain.address import PostalAddress
from resolvers.descriptions import input_type


@input_type
class PostalAddressInput:
    """Where a parcel goes and who receives it."""

    recipient: str
    """Who receives the parcel."""
    phone: str
    """The number the courier calls; without a country code it is one of the address's country."""
    country_code: str = "CN"
    """The ISO 3166 code of the country."""
    province: str = ""
    """Province, state or municipality; required in China."""
    city: str
    """City or prefecture."""
    district: str = ""
    """District or county; required in China."""
    line1: str
    """Street, house number and apartment."""
    line2: str = ""
    """Further details for the courier."""
    postal_code: str = ""
    """Postal code, if the country has them."""

    latitude: float | None = None
    """Degrees north (WGS 84), such as of a pin on a map; a geocoder or its district tells, when left out."""
    longitude: float | None = None
    """Degrees east, given together with the latitude."""
    preferred_from: str | None = None
    """From which time of a day somebody is there, such as "18:00", in the shop's time zone."""
    preferred_until: str | None = None
    """Until which time, given together with `preferredFrom`, at least an hour later on the same day."""

    def postal(self) -> PostalAddress:
        return PostalAddress(**vars(self))

from domain.address import Postal
from resolvers.described import input_type


@input_type
class PostalAddressInput:
    """Where a parcel goes and who takes it."""

    recipient: str
    """Who takes the parcel."""
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
    """Street, house and door."""
    line2: str = ""
    """What else helps to find the door."""
    postal_code: str = ""
    """Postal code, where there is one."""

    def postal(self) -> Postal:
        return Postal(**vars(self))

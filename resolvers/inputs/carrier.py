import strawberry

from domain.shipment.carriers import CarrierDraft, CutOff
from domain.stock import Weekday
from models import CarrierConnection
from resolvers.descriptions import input_type


@input_type
class CarrierCutOffInput:
    """Until when a carrier takes parcels along on a day, in the shop's time zone."""

    weekday: Weekday
    """The day."""
    until: str
    """The last moment of it, such as "17:30"."""


@input_type
class CarrierSaveInput:
    """What `carrierSave` needs."""

    code: str
    """By what parcels name it: letters, digits, "-" and "_"; it stays for ever."""
    name: str
    """The name people use."""
    connection: CarrierConnection
    """How the shop reaches it; it stays for ever."""
    id: strawberry.ID | None = None
    """The carrier to change; a new one is added when left out."""
    version: int | None = None
    """The version that was read; required with `id`."""
    account: str = ""
    """The shop's customer number there; its secret is a setting."""
    service: str = ""
    """The service that is booked, in the words of the carrier."""
    company_code: str = ""
    """What the connection calls the carrier, such as "yuantong" at kuaidi100."""
    tracking_link: str = ""
    """Address of its page about a parcel, with {number} where the tracking number belongs."""
    poll_seconds: int | None = None
    """How often it is asked where a parcel is, in seconds; left out, as often as is usual there."""
    cut_offs: list[CarrierCutOffInput] = strawberry.field(
        default_factory=list,
        description="Until when it takes parcels along, one time a day; other days it does not.",
    )
    takes_cash: bool = False
    """Whether it collects cash at the door."""
    position: int | None = None
    """Its turn where several could carry a parcel, the lowest first; left out, it stays or comes last."""

    def draft(self) -> CarrierDraft:
        return CarrierDraft(
            code=self.code,
            name=self.name,
            connection=self.connection,
            account=self.account,
            service=self.service,
            company_code=self.company_code,
            tracking_link=self.tracking_link,
            poll_seconds=self.poll_seconds,
            cut_offs=[CutOff(each.weekday, each.until) for each in self.cut_offs],
            takes_cash=self.takes_cash,
            position=self.position,
        )

"""How the shop reaches carriers: a further connection is a member and its terms here, a module in
`gateways/carrier/` and a line in the registry there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class CarrierConnection(StrEnum):
    """How the shop reaches a carrier."""

    SIMULATED = "SIMULATED"
    """Built in: it needs no account and delivers every parcel by itself."""
    OWN_COURIERS = "OWN_COURIERS"
    """The shop's own couriers, by delivery runs."""
    MANUAL = "MANUAL"
    """By people: they enter the number, the link and what happens."""
    KUAIDI100 = "KUAIDI100"
    """Through kuaidi100, which knows the carriers of China by codes of its own."""
    SF_EXPRESS = "SF_EXPRESS"
    """SF Express, directly."""
    KARRIO = "KARRIO"
    """Through karrio, which knows DHL, UPS, FedEx and others by names of its own."""


@dataclass(frozen=True, slots=True)
class ConnectionTerms:
    """What the shop keeps to at a connection, whatever the row of a carrier says."""

    shortest_poll: timedelta | None = None
    """How often one parcel may be asked about at most; None where nothing is ever asked there."""
    usual_poll: timedelta | None = None
    """How often carriers are asked that say nothing of it; None for as often as a setting says."""
    needs_company_code: bool = False
    """It knows many carriers, each by a code."""


CONNECTION_TERMS: Mapping[CarrierConnection, ConnectionTerms] = {
    CarrierConnection.SIMULATED: ConnectionTerms(timedelta(0)),
    CarrierConnection.OWN_COURIERS: ConnectionTerms(),
    CarrierConnection.MANUAL: ConnectionTerms(),
    CarrierConnection.KUAIDI100: ConnectionTerms(timedelta(minutes=31), timedelta(hours=1), True),
    CarrierConnection.SF_EXPRESS: ConnectionTerms(timedelta(minutes=10), timedelta(hours=1)),
    CarrierConnection.KARRIO: ConnectionTerms(timedelta(minutes=10), timedelta(hours=1), True),
}
"""kuaidi100 locks a number for a day that was asked about more than 48 times within 24 hours; every 31
minutes is at most 47 times.
"""

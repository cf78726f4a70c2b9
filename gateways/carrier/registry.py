"""The carriers that the shop can be connected to; a further one is a line in `CONNECTIONS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx

from gateways.carrier import karrio_carriers, kuaidi100, sf_express
from gateways.carrier.by_hand import CarrierByHand
from gateways.carrier.protocol import CarrierGateway
from gateways.carrier.simulated import SimulatedCarrier
from models import CarrierConnection
from settings import Settings

Clock = Callable[[], datetime]


class ConnectCarrier(Protocol):
    """Makes a connection from the settings; None, with one line in the log, where it cannot be made."""

    def __call__(
        self, settings: Settings, client: httpx.AsyncClient, clock: Clock
    ) -> CarrierGateway | None: ...


@dataclass(frozen=True, slots=True)
class CarrierRegistration:
    """How a connection is made."""

    connection: CarrierConnection
    connect: ConnectCarrier


def connect_simulated(settings: Settings, client: httpx.AsyncClient, clock: Clock) -> SimulatedCarrier:
    return SimulatedCarrier(settings.carriers.simulated_step, clock)


def connect_own_couriers(settings: Settings, client: httpx.AsyncClient, clock: Clock) -> CarrierByHand:
    return CarrierByHand(CarrierConnection.OWN_COURIERS)


def connect_manual(settings: Settings, client: httpx.AsyncClient, clock: Clock) -> CarrierByHand:
    return CarrierByHand(CarrierConnection.MANUAL)


CONNECTIONS: Sequence[CarrierRegistration] = (
    CarrierRegistration(CarrierConnection.SIMULATED, connect_simulated),
    CarrierRegistration(CarrierConnection.OWN_COURIERS, connect_own_couriers),
    CarrierRegistration(CarrierConnection.MANUAL, connect_manual),
    CarrierRegistration(CarrierConnection.KUAIDI100, kuaidi100.connect),
    CarrierRegistration(CarrierConnection.SF_EXPRESS, sf_express.connect),
    CarrierRegistration(CarrierConnection.KARRIO, karrio_carriers.connect),
)


def connect_carriers(
    settings: Settings,
    client: httpx.AsyncClient,
    clock: Clock,
    registrations: Sequence[CarrierRegistration] = CONNECTIONS,
) -> Mapping[CarrierConnection, CarrierGateway]:
    """The connections whose settings are there; the log names what is missing of others."""
    connected = {each.connection: each.connect(settings, client, clock) for each in registrations}
    return {connection: gateway for connection, gateway in connected.items() if gateway}

"""Carriers through kuaidi100."""

from collections.abc import Callable
from datetime import datetime

import httpx
import structlog

from gateways.carrier.kuaidi100.gateway import Kuaidi100
from models import CarrierConnection
from settings import Settings

__all__ = ["Kuaidi100", "connect"]

log = structlog.get_logger()

PUSH_PATH = "/webhooks/carriers/kuaidi100"


def connect(settings: Settings, client: httpx.AsyncClient, clock: Callable[[], datetime]) -> Kuaidi100 | None:
    """The connection; None where a setting is missing, with one line in the log that names it."""
    group = settings.kuaidi100
    if group.missing:
        if group.model_fields_set:
            log.info("carrier.off", connection=CarrierConnection.KUAIDI100.value, missing=group.missing)
        return None
    return Kuaidi100(
        client=client,
        key=group.key.get_secret_value(),
        customer=group.customer,
        secret=group.secret.get_secret_value(),
        salt=group.salt.get_secret_value(),
        partner_keys={number: key.get_secret_value() for number, key in group.partner_keys.items()},
        tracking_address=group.tracking_address,
        waybill_address=group.waybill_address,
        push_url=settings.server.address + PUSH_PATH,
        clock=clock,
    )

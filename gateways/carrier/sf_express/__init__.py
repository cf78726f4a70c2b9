"""SF Express, directly."""

from collections.abc import Callable
from datetime import datetime

import httpx
import structlog

from gateways.carrier.sf_express.gateway import SfExpress
from models import CarrierConnection
from settings import Settings

__all__ = ["SfExpress", "connect"]

log = structlog.get_logger()


def connect(settings: Settings, client: httpx.AsyncClient, clock: Callable[[], datetime]) -> SfExpress | None:
    """The connection; None where a setting is missing, with one line in the log that names it."""
    group = settings.sf_express
    if group.missing:
        if group.model_fields_set:
            log.info("carrier.off", connection=CarrierConnection.SF_EXPRESS.value, missing=group.missing)
        return None
    return SfExpress(
        client=client,
        partner_id=group.partner_id,
        check_word=group.check_word.get_secret_value(),
        push_key=group.push_key.get_secret_value(),
        address=group.address,
        clock=clock,
    )

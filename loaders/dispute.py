"""Loading disputes."""

from collections.abc import Collection

from sqlalchemy import select

from loaders.base import ByKey, ManyByKey, loader
from loaders.page import Key, Sort
from models import Dispute, DisputeStatus
from models.sql.types import AnySelect

OLDEST_DISPUTE = Sort("oldest", (Key(Dispute.id),))


def select_disputes(*, status: Collection[DisputeStatus] | None = None) -> AnySelect:
    """Select disputes, or those with one of these statuses."""
    return select(Dispute) if status is None else select(Dispute).where(Dispute.status.in_(status))


class DisputeById(ByKey[int, Dispute]):
    key = Dispute.id


class DisputesByPayment(ManyByKey[int, Dispute]):
    key = Dispute.payment_id
    order_by = Dispute.id


class DisputeLoaders:
    dispute = loader(DisputeById)
    payment_disputes = loader(DisputesByPayment)

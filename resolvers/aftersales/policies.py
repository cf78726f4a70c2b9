"""The terms of claims: listing them and adding versions."""

from collections.abc import Sequence
from dataclasses import dataclass

import strawberry

from domain.aftersales.policies import ClaimPolicyDraft, save_claim_policy
from loaders.aftersales import load_claim_policies
from models import ClaimExclusion, ClaimPolicy, TicketReason
from resolvers.context import Info
from resolvers.ids import row_id_or_zero
from resolvers.inputs.aftersales import ClaimWindowInput, claim_windows


@dataclass(frozen=True, slots=True)
class ReasonWindow:
    """For how many days something can be claimed for a reason."""

    reason: TicketReason
    days: int


async def claim_policies(info: Info, history: bool = False) -> Sequence[ClaimPolicy]:
    """The terms of claims: of everything, and of the categories and products that have their own.

    history: whether earlier versions are shown, too; the newest 500
    """
    return await load_claim_policies(info.context.shop.database.reads, history=history)


async def claim_policy_save(
    info: Info,
    windows: list[ClaimWindowInput] = [],  # noqa: B006 - read only
    exclusion: ClaimExclusion | None = None,
    evidence: list[TicketReason] | None = None,
    refused_reasons: list[TicketReason] | None = None,
    category_id: strawberry.ID | None = None,
    product_id: strawberry.ID | None = None,
    version: int | None = None,
) -> ClaimPolicy:
    """Adds a version of the terms of claims of a category, a product or, without either, of everything.

    Earlier versions never change: a ticket keeps those of the moment it was opened.

    windows: for how many days something can be claimed; a reason that is left out is inherited
    exclusion: why it cannot be returned without a reason; left out, it is inherited
    evidence: for which reasons customers attach a picture; left out, it is inherited
    refused_reasons: for which reasons it cannot be claimed; never faults, or wrong, missing or damaged goods
    category_id: the category, and all below it that have no terms of their own
    product_id: the product
    version: the version that was read; left out where there was none
    """
    draft = ClaimPolicyDraft(
        windows=claim_windows(windows),
        exclusion=exclusion,
        evidence=None if evidence is None else tuple(dict.fromkeys(evidence)),
        refused_reasons=None if refused_reasons is None else tuple(dict.fromkeys(refused_reasons)),
        category_id=None if category_id is None else row_id_or_zero(category_id, "Category"),
        product_id=None if product_id is None else row_id_or_zero(product_id, "Product"),
    )
    async with info.context.transaction() as session:
        return await save_claim_policy(session, draft, version=version, cause=info.context.cause)


def evidence(root: ClaimPolicy) -> list[TicketReason] | None:
    """For which reasons customers attach a picture; null where that is inherited."""
    return None if root.evidence is None else [TicketReason(reason) for reason in root.evidence]


def refused_reasons(root: ClaimPolicy) -> list[TicketReason] | None:
    """For which reasons it cannot be claimed, none where it is empty; null where that is inherited."""
    return None if root.refused_reasons is None else [TicketReason(reason) for reason in root.refused_reasons]


def windows(root: ClaimPolicy) -> list[ReasonWindow]:
    """For how many days something can be claimed, by reason; a reason that is missing is inherited."""
    return [ReasonWindow(TicketReason(reason), days) for reason, days in root.windows.items()]

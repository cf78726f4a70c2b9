"""How long what was bought can be claimed, and which goods are excluded from returns without a reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import DDL, ForeignKey, UniqueConstraint, event, func, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id
from models.sql.types import AnySelect

EVERYTHING = "*"
"""The scope of the policy from which all categories inherit."""


class ClaimExclusion(StrEnum):
    """Why goods cannot be returned without a reason."""

    NONE = "NONE"
    """They can be returned, also where the category above them says otherwise."""
    MADE_TO_ORDER = "MADE_TO_ORDER"
    """They are made for this customer."""
    OPENED_HYGIENE = "OPENED_HYGIENE"
    """They are sealed for reasons of hygiene, and opened to be tried."""


class ClaimPolicy(Base):
    """One version of the terms of claims of a category, a product or everything; it never changes."""

    __tablename__ = "claim_policies"
    __table_args__ = (UniqueConstraint("scope", "version"),)

    id: Mapped[Id]
    scope: Mapped[str]
    """What it is about: "*" for everything, "category:7" or "product:7"."""
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"), index=True)
    version: Mapped[int]
    windows: Mapped[dict[str, int]]
    """Days by reason; a reason that is missing is inherited."""
    exclusion: Mapped[ClaimExclusion | None]
    """None is inherited."""
    evidence: Mapped[list[str] | None]
    """The reasons for which customers attach a picture; None is inherited."""
    refused_reasons: Mapped[list[str] | None]
    """The reasons for which it cannot be claimed; None is inherited, empty is none."""
    created_at: Mapped[datetime]


FIRST_POLICY = DDL(
    "INSERT INTO claim_policies (scope, version, windows, created_at) VALUES ('*', 1, '"
    '{"NO_REASON": 7, "QUALITY_FAULT": 15, "WRONG_ITEM": 15, "MISSING_ITEM": 15, "DAMAGED": 15,'
    ' "NOT_AS_DESCRIBED": 15, "NOT_RECEIVED": 15}'
    "', '2000-01-01 00:00:00')"
)
"""The terms of everything that a new shop begins with, as the migrations write them."""

event.listen(ClaimPolicy.__table__, "after_create", FIRST_POLICY)


def category_scope(category_id: int) -> str:
    return f"category:{category_id}"


def product_scope(product_id: int) -> str:
    return f"product:{product_id}"


def scopes_of(product_id: int, category_path: str | None) -> list[str]:
    """The scopes from which a product takes its terms, its own first and that of everything last."""
    ids = [int(part) for part in (category_path or "").strip("/").split("/") if part]
    return [product_scope(product_id), *(category_scope(id) for id in reversed(ids)), EVERYTHING]


def select_policies_at(moment: datetime | None = None) -> AnySelect:
    """The policy of each scope as it is now, or as it was at a moment."""
    newest = select(func.max(ClaimPolicy.id)).group_by(ClaimPolicy.scope)
    if moment is not None:
        newest = newest.where(ClaimPolicy.created_at <= moment)
    return select(ClaimPolicy).where(ClaimPolicy.id.in_(newest))


def select_exclusions() -> AnySelect:
    """The policies of now that exclude something, or say that something is not excluded."""
    return select_policies_at().where(ClaimPolicy.exclusion.is_not(None))


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """The policies of all scopes at one moment."""

    policies: Mapping[str, ClaimPolicy]

    @classmethod
    def of(cls, policies: Iterable[ClaimPolicy]) -> "ClaimTerms":
        return cls({policy.scope: policy for policy in policies})

    def exclusion_of(self, product_id: int, category_path: str | None) -> ClaimExclusion | None:
        """Why a product cannot be returned without a reason; None where it can."""
        for policy in self.policies_of(product_id, category_path):
            if policy.exclusion is not None:
                return None if policy.exclusion is ClaimExclusion.NONE else policy.exclusion
        return None

    def days_of(self, product_id: int, category_path: str | None, reason: str) -> int | None:
        """For how many days after the one of its arrival a product can be claimed for a reason."""
        for policy in self.policies_of(product_id, category_path):
            if reason in policy.windows:
                return policy.windows[reason]
        return None

    def needs_picture(self, product_id: int, category_path: str | None, reason: str) -> bool:
        """Whether who claims a product for a reason attaches a picture."""
        for policy in self.policies_of(product_id, category_path):
            if policy.evidence is not None:
                return reason in policy.evidence
        return False

    def refuses(self, product_id: int, category_path: str | None, reason: str) -> bool:
        """Whether a product cannot be claimed for a reason."""
        for policy in self.policies_of(product_id, category_path):
            if policy.refused_reasons is not None:
                return reason in policy.refused_reasons
        return False

    def policies_of(self, product_id: int, category_path: str | None) -> Sequence[ClaimPolicy]:
        """The policies that apply to a product, the nearest first."""
        scopes = scopes_of(product_id, category_path)
        return [self.policies[scope] for scope in scopes if scope in self.policies]

"""Rules by which the shop agrees to tickets without anybody: kept in versions, and what they decide."""

from domain.aftersales.agreement.deciding import Judgement, foresee_judgement, judge_ticket, save_decision
from domain.aftersales.agreement.versions import AgreementRuleDraft, save_agreement_rule

__all__ = [
    "AgreementRuleDraft",
    "Judgement",
    "foresee_judgement",
    "judge_ticket",
    "save_agreement_rule",
    "save_decision",
]

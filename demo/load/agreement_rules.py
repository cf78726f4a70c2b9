"""Rules by which the demo shop agrees to tickets by itself; tickets of its past were opened before them."""

from sqlalchemy import select

from domain.aftersales.agreement import AgreementRuleDraft, save_agreement_rule
from domain.cause import Cause
from events.shop import Shop
from models import AgreementMoment, AgreementRule, CurrencyCode, TicketReason, TicketType

FAULTS = (
    TicketReason.QUALITY_FAULT,
    TicketReason.WRONG_ITEM,
    TicketReason.MISSING_ITEM,
    TicketReason.DAMAGED,
    TicketReason.NOT_AS_DESCRIBED,
)
RULES = (
    AgreementRuleDraft(
        code="small-amounts",
        title="小额退款：有照片即同意",
        moment=AgreementMoment.OPENED,
        types=(TicketType.REFUND_ONLY,),
        reasons=FAULTS,
        amounts={CurrencyCode.CNY: 3_000},
        daily_amounts={CurrencyCode.CNY: 100_000},
        daily_tickets=50,
        needs_picture=True,
        tickets_at_most=3,
    ),
    AgreementRuleDraft(
        code="good-customers",
        title="老客户退货：直接同意",
        moment=AgreementMoment.OPENED,
        types=(TicketType.RETURN_REFUND, TicketType.EXCHANGE),
        reasons=(TicketReason.NO_REASON, *FAULTS),
        amounts={CurrencyCode.CNY: 50_000},
        daily_amounts={CurrencyCode.CNY: 500_000},
        daily_tickets=50,
        orders_at_least=5,
        tickets_at_most=5,
    ),
    AgreementRuleDraft(
        code="wrong-goods",
        title="发错货：有照片即补发",
        moment=AgreementMoment.OPENED,
        types=(TicketType.RESHIP, TicketType.EXCHANGE),
        reasons=(TicketReason.WRONG_ITEM,),
        amounts={CurrencyCode.CNY: 20_000},
        daily_amounts={CurrencyCode.CNY: 200_000},
        daily_tickets=30,
        needs_picture=True,
    ),
)


async def load_agreement_rules(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        known = set(await session.scalars(select(AgreementRule.code)))
        for draft in RULES:
            if draft.code in known:
                continue
            await save_agreement_rule(session, draft, version=None, cause=Cause(shop.clock()))

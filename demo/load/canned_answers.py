"""Texts that the agents of the demo shop answer with, in Chinese and English."""

from sqlalchemy import select

from domain.aftersales.canned_answers import CannedAnswerDraft, save_canned_answer
from domain.cause import Cause
from events.shop import Shop
from models import CannedAnswer

ANSWERS = (
    CannedAnswerDraft(
        "received", "zh", "已收到申请", "{customer}，您好！售后单 {ticket} 我们已收到，最迟 {due} 前答复您。"
    ),
    CannedAnswerDraft(
        "received",
        "en",
        "We have it",
        "Dear {customer}, we have received your request {ticket} and answer by {due}.",
    ),
    CannedAnswerDraft(
        "refund", "zh", "退款说明", "{customer}，您好！订单 {order} 将退款 {refund}，原路退回。{agent}"
    ),
    CannedAnswerDraft(
        "refund",
        "en",
        "About the refund",
        "Dear {customer}, we refund {refund} of your order {order} the way it was paid. {agent}",
    ),
    CannedAnswerDraft("picture", "zh", "请补充照片", "{customer}，您好！请补充一张清晰的照片，谢谢。{agent}"),
    CannedAnswerDraft(
        "picture", "en", "Please send a picture", "Dear {customer}, please send us a clear picture. {agent}"
    ),
)


async def load_canned_answers(shop: Shop) -> None:
    async with shop.database.writes.begin() as session:
        rows = await session.execute(select(CannedAnswer.code, CannedAnswer.language))
        known = {tuple(row) for row in rows}
        for draft in ANSWERS:
            if (draft.code, draft.language) not in known:
                await save_canned_answer(session, None, draft, version=None, cause=Cause(shop.clock()))

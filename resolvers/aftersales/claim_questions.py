"""What a ticket asks articles: what the customer has written, and why they claim."""

from collections.abc import Mapping

from models import Ticket, TicketReason
from resolvers.knowledge import ArticleQuestion
from text.question import is_chinese

REASON_QUESTIONS: Mapping[TicketReason, tuple[str, str]] = {
    TicketReason.NO_REASON: ("无理由退货", "Can I return it"),
    TicketReason.QUALITY_FAULT: ("质量问题", "It is faulty"),
    TicketReason.WRONG_ITEM: ("发错货了", "The wrong item was sent"),
    TicketReason.MISSING_ITEM: ("少件、漏发", "It is missing or incomplete"),
    TicketReason.DAMAGED: ("商品破损", "It was damaged"),
    TicketReason.NOT_AS_DESCRIBED: ("与描述不符，退货", "It is not as described, can I return it"),
    TicketReason.NOT_RECEIVED: ("没有收到货", "I have not received it"),
    TicketReason.FAULT_IN_USE: ("用坏了，质量问题", "It is faulty and out of warranty"),
}
"""How customers ask about what they claim for, in Chinese and in English."""


def question_of(ticket: Ticket) -> ArticleQuestion:
    """What a ticket asks; the reason is in the language of what was written."""
    chinese, english = reasons_of(ticket) or ("", "")
    return ArticleQuestion(ticket.description, chinese if is_chinese(ticket.description) else english)


def reasons_of(ticket: Ticket) -> tuple[str, ...]:
    """Why a ticket was opened, in each language; none of what is only asked."""
    return REASON_QUESTIONS.get(ticket.reason, ())

"""What customers of the demo shop ask that is about no order."""

from demo.content import Content
from demo.load.orders import load_fixtures
from demo.load.tickets import ANSWERED, OPENED
from domain.aftersales.messages import MessageDraft, add_message
from domain.aftersales.question_opening import QuestionRequest, ask_question
from domain.cause import Cause
from events.aftersales import deadlines_of, question_terms_of
from events.shop import Shop


async def load_questions(shop: Shop, content: Content) -> None:
    """Ask what the content says, and answer some of it."""
    fixtures = await load_fixtures(shop, content)
    for position, question in enumerate(content.questions):
        asked, answered = shop.clock() - OPENED, shop.clock() - ANSWERED
        customer = fixtures.customers[position % len(fixtures.customers)]
        async with shop.database.writes.begin() as session:
            ticket = await ask_question(
                session,
                QuestionRequest(customer.id, question.description),
                question_terms_of(shop.settings),
                deadlines_of(shop.settings),
                number=shop.secrets.new_number("T", asked),
                key=f"question {position}",
                cause=Cause(asked, customer.id),
            )
            if question.answer is not None:
                draft, cause = MessageDraft(question.answer), Cause(answered, fixtures.manager_id)
                await add_message(session, ticket.id, draft, deadlines_of(shop.settings), cause=cause)

"""Which articles save a ticket, which questions find none, and which articles may be out of date."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.knowledge import questions, reading
from domain.knowledge.questions import record_unanswered
from events.counters.questions import TEXTS_LIMIT
from events.knowledge import count_some_reads
from events.shop import Shop
from gateways.secrets import fingerprint_of
from models import Article, ArticleDay, ArticleRead, OrderStatus, Role, Ticket, UnansweredSearch
from resolvers.ids import global_id
from tests.api.aftersales.documents import OPEN
from tests.clients import Client, Clients
from tests.factories.aftersales import create_ticket, order_lines_of
from tests.factories.cart import create_cart
from tests.factories.knowledge import create_article
from tests.factories.order import a_variant, create_order
from tests.factories.token import new_cart_token
from tests.observe import count_statements, run_until_idle
from text.hidden_numbers import READ_LIMIT, SEARCH_LIMIT, clean_search, cut_text

READ = """mutation($input: ArticleReadInput!) {
  articleRead(input: $input) { article { slug } userErrors { code field } } }"""
FIGURES = """{ articleFigures { article { slug } shown reads orderReads deflected tickets deflection } }"""
UNANSWERED = "{ unansweredSearches { query count } }"
CONCERNS = "{ concerningArticles { article { slug } concerns } }"
SUGGEST = """query($query: String!, $line: ID) {
  articleSuggestions(query: $query, orderLineId: $line) { slug } }"""
DAY = timedelta(days=1)
Tick = Callable[[timedelta], None]


async def buy(session: AsyncSession, shop: Shop, customer: Client, **product: object) -> str:
    """The id of the line of a completed order."""
    variant = await a_variant(session, **product)
    order = await create_order(
        session,
        account=customer.account,
        status=OrderStatus.COMPLETED,
        lines=[(variant, 3)],
        now=shop.clock(),
    )
    [line] = await order_lines_of(session, order)
    return global_id("OrderLine", line.id)


async def complain(session: AsyncSession, customer: Client, line: str) -> str:
    order = (await customer.get("{ orders { nodes { id lines { id } } } }"))["orders"]["nodes"]
    [order_id] = [each["id"] for each in order if each["lines"][0]["id"] == line]
    opened = await customer.do(
        OPEN,
        orderId=order_id,
        type="RETURN_REFUND",
        reason="QUALITY_FAULT",
        lines=[{"orderLineId": line, "quantity": 1}],
        description="It leaks.",
        idempotencyKey=line,
    )
    assert opened["userErrors"] == []
    return str(opened["ticket"]["id"])


async def test_an_article_saves_a_ticket_where_none_on_that_order_follows_within_a_day(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    satisfied, late, cancels = customers = [await clients.customer() for _ in range(3)]
    article = global_id("Article", (await create_article(session, slug="leaks")).id)
    lines = [await buy(session, shop, each) for each in customers]
    other_line = await buy(session, shop, late)
    await session.commit()
    for customer, line in zip(customers, lines, strict=True):
        for _ in range(2):  # a second time on the same day says nothing new
            assert (await customer.do(READ, id=article, orderLineId=line))["article"] == {"slug": "leaks"}
    await late.do(READ, id=article, orderLineId=other_line)
    await satisfied.do(READ, id=article)
    editor = await clients.staff(Role.SUPPORT)
    await editor.do(READ, id=article)

    tick(timedelta(hours=23))
    editor = await clients.staff(Role.SUPPORT, editor.account)
    satisfied, late, cancels = [await clients.customer(each.account) for each in customers]
    await complain(session, late, lines[1])
    ticket = await complain(session, cancels, lines[2])
    await cancels.do(
        "mutation($input: TicketCancelInput!) { ticketCancel(input: $input) { userErrors { code } } }",
        id=ticket,
    )
    await run_until_idle(shop)
    [open_figures] = (await editor.get(FIGURES))["articleFigures"]
    assert (open_figures["reads"], open_figures["orderReads"]) == (5, 0)

    tick(timedelta(hours=1, minutes=6))
    editor = await clients.staff(Role.SUPPORT, editor.account)
    satisfied = await clients.customer(satisfied.account)
    await complain(session, satisfied, lines[0])
    await run_until_idle(shop)
    assert (await editor.get(FIGURES))["articleFigures"] == [
        {
            "article": {"slug": "leaks"},
            "shown": 0,
            "reads": 5,
            "orderReads": 4,
            "deflected": 2,
            "tickets": 2,
            "deflection": 0.5,
        }
    ]
    assert await session.scalar(select(func.count(ArticleRead.id))) == 0
    await session.commit()


async def test_the_last_reading_of_a_day_counts_and_none_that_follows_a_ticket(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    again, complained, editor = [await clients.customer() for _ in range(2)] + [
        await clients.staff(Role.SUPPORT)
    ]
    article = global_id("Article", (await create_article(session, slug="leaks")).id)
    lines = [await buy(session, shop, each) for each in (again, complained)]
    await session.commit()
    await again.do(READ, id=article, orderLineId=lines[0])
    await again.do(READ, id=article)
    await complain(session, complained, lines[1])
    tick(timedelta(hours=7))
    again, complained = [await clients.customer(each.account) for each in (again, complained)]
    await again.do(READ, id=article, orderLineId=lines[0])
    await again.do(READ, id=article)
    await complained.do(READ, id=article, orderLineId=lines[1])
    tick(timedelta(hours=18))  # 25 hours after the first reading, 18 after the last one
    again = await clients.customer(again.account)
    await complain(session, again, lines[0])
    await run_until_idle(shop)
    assert await session.scalar(select(func.count(ArticleRead.id))) == 3
    await session.commit()

    tick(timedelta(hours=7))
    editor = await clients.staff(Role.SUPPORT, editor.account)
    await run_until_idle(shop)

    [figures] = (await editor.get(FIGURES))["articleFigures"]
    assert (figures["reads"], figures["orderReads"], figures["deflected"]) == (3, 1, 0)


async def test_two_workers_count_each_reading_once(
    clients: Clients, shop: Shop, session: AsyncSession, tick: Tick
) -> None:
    customers = [await clients.customer() for _ in range(6)]
    article = await create_article(session, slug="leaks")
    await session.commit()
    for customer in customers:
        await customer.do(READ, id=global_id("Article", article.id))
    tick(2 * DAY)
    ids = (await session.scalars(select(ArticleRead.id))).all()
    await session.commit()

    counted = await asyncio.gather(*(count_some_reads(shop, ids) for _ in range(3)))

    assert sum(counted) == 6
    assert await session.scalar(select(ArticleDay.reads)) == 6
    await session.commit()


async def test_nobody_makes_figures_as_they_like(
    clients: Clients, shop: Shop, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READS_LIMIT", 2)
    customer, other = await clients.customer(), await clients.customer()
    articles = [await create_article(session, slug=f"text-{number}") for number in range(4)]
    draft = await create_article(session, published=False)
    line = await buy(session, shop, other)
    token = new_cart_token(shop)
    await create_cart(session, token_hash=fingerprint_of(token))
    await session.commit()
    ids = [global_id("Article", article.id) for article in articles]
    guest, made_up = clients.guest(**{"X-Cart-Token": token}), clients.guest(**{"X-Cart-Token": "made up"})

    for reader in (customer, guest):
        for article_id in ids:
            assert (await reader.do(READ, id=article_id))["userErrors"] == []
    for stranger, given, refusal in (
        (clients.guest(), {"id": ids[0]}, ("UNAUTHENTICATED", [])),
        (made_up, {"id": ids[0]}, ("UNAUTHENTICATED", [])),
        (customer, {"id": ids[0], "orderLineId": line}, ("NOT_FOUND", ["orderLineId"])),
        (
            customer,
            {"id": ids[0], "orderLineId": global_id("OrderLine", 99_999)},
            ("NOT_FOUND", ["orderLineId"]),
        ),
        (customer, {"id": global_id("Article", draft.id)}, ("NOT_FOUND", ["id"])),
    ):
        [error] = (await stranger.do(READ, **given))["userErrors"]
        assert (error["code"], error["field"]) == refusal

    assert await session.scalar(select(func.count(ArticleRead.id))) == 4
    await session.commit()


async def test_what_several_look_for_and_do_not_find_is_counted_without_what_names_a_person(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_article(session, slug="leaks", title="teapot leaks")
    await session.commit()
    guest, editor = clients.guest(), await clients.staff(Role.SUPPORT)
    for number in range(3):
        customer = await clients.customer()
        for text in ("Solder", "Soldering my", f"Soldering my Ring 1380013800{number}"):
            await customer.get(SUGGEST, query=text)
        for text in ("退款", "rings", "teapo", "teapot leaks"):
            await customer.get(SUGGEST, query=text)
        await customer.get(f'{{ articles(query: "unicorn me@{number}.cn") {{ nodes {{ slug }} }} }}')
        await customer.get('{ articles(query: "teapot", tag: "none") { nodes { slug } } }')
        await editor.get(SUGGEST, query="what the staff ask")
    for _ in range(3):
        await guest.get(SUGGEST, query="what one guest asks")
        await guest.get(SUGGEST, query="and asks again")
    await shop.questions.write(last=True)

    assert (await editor.get(UNANSWERED))["unansweredSearches"] == [
        {"query": "rings", "count": 3},
        {"query": "soldering my ring #", "count": 3},
        {"query": "unicorn @", "count": 3},
        {"query": "退款", "count": 3},
    ]
    kept = dict((await session.execute(select(UnansweredSearch.query, UnansweredSearch.count))).all())
    assert (kept["what one guest asks"], kept["and asks again"], len(kept)) == (1, 1, 6)
    await session.commit()
    [figures] = (await editor.get(FIGURES))["articleFigures"]
    assert (figures["article"], figures["deflection"]) == ({"slug": "leaks"}, None)
    for stranger in (guest, await clients.customer(), await clients.staff(Role.WAREHOUSE)):
        for document in (UNANSWERED, FIGURES, CONCERNS):
            assert (await stranger.ask(document))["data"] is None


async def test_nobody_fills_the_room_of_what_others_ask(
    shop: Shop, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "SEARCHES_LIMIT", 2)
    article, today = await create_article(session), shop.today
    await session.commit()
    for number in range(30):
        shop.questions.count("stranger", f"{number} invented", ())
    await shop.questions.write(last=True)
    assert len(shop.questions.askers["stranger"].counted) == TEXTS_LIMIT
    shop.questions.count("customer", "0 invented", [article.id, 99_999])
    for number in range(3):
        shop.questions.count(f"customer {number}", "0 invented", ())
    shop.questions.count("customer", "a new text", ())
    await shop.questions.write(last=True)

    rows = select(UnansweredSearch.query, UnansweredSearch.count).order_by(UnansweredSearch.query)
    assert (await session.execute(rows)).all() == [("0 invented", 4), ("1 invented", 1)]
    assert await session.scalar(select(ArticleDay.shown)) == 1  # the other article is gone

    asked = {("most", today): 3, ("a few", today): 2, ("b few", today): 2}
    await session.execute(delete(UnansweredSearch))
    await record_unanswered(session, {("single", today): 1, ("asked twice", today): 2}, today=today)
    await record_unanswered(session, {}, today=today + 2 * DAY)
    assert (await session.scalars(select(UnansweredSearch.query))).all() == ["asked twice"]
    await record_unanswered(session, asked, today=today + 91 * DAY)
    texts = select(UnansweredSearch.query).order_by(UnansweredSearch.query)
    assert (await session.scalars(texts)).all() == ["a few", "most"]
    await session.commit()


async def test_a_text_is_finished_when_nobody_types_on(shop: Shop) -> None:
    counter = shop.questions
    counter.count("one", "refund", ())
    counter.count("two", "refund", ())
    await counter.write()
    counter.count("one", "refund when", ())
    await counter.write()
    async with shop.database.reads() as session:
        assert (await session.scalars(select(UnansweredSearch.query))).all() == ["refund"]
    counter.count("one", "refund when it is late", [])
    counter.count("three", "ret", ())
    counter.count("three", "return", [1])
    await counter.write(last=True)
    async with shop.database.reads() as session:
        rows = await session.execute(select(UnansweredSearch.query, UnansweredSearch.count))
    assert {tuple(row) for row in rows} == {("refund", 1), ("refund when it is late", 1)}


def test_numbers_and_addresses_are_hidden_in_the_beginning_of_a_text_only() -> None:
    assert clean_search("  Order T00012345  of ME@x.cn, call 138-0013 8000 ") == "order # of @ call #"
    assert clean_search("(138) 0013.8000 or 138_0013/8000 or ab12cd1234") == "(# or # or #"
    assert clean_search("iPhone 15 怎么退款 1.5 kg") == "iphone 15 怎么退款 1.5 kg"
    for hostile in ("a" * 100_000, "1-" * 50_000, "a@" * 50_000, "\ufdfa" * 100_000, "1 " * 50_000):
        assert len(cut_text(hostile)) <= READ_LIMIT
        assert len(clean_search(hostile)) <= SEARCH_LIMIT
    assert clean_search("a" * 100_000) == "a" * SEARCH_LIMIT
    # what is cut in two would not be hidden
    assert clean_search("me@example.com " * 26 + "13800138000") == " ".join("@" * 26)


async def test_articles_that_may_be_out_of_date_say_why(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    now, editor = shop.clock(), await clients.staff(Role.SUPPORT)
    assert editor.account is not None
    for slug, values in (
        ("fine", {"review_at": now + DAY}),
        ("due", {"review_at": now - DAY}),
        ("forgotten", {"updated_at": now - 400 * DAY}),
        ("useless", {"review_at": now + DAY, "unhelpful": 5, "helpful": 4}),
        ("nobody", {"review_at": now + 2 * DAY, "owner_id": None}),
    ):
        article = await create_article(session, slug=slug, now=now)
        given = {"owner_id": editor.account.id, **values}
        await session.execute(update(Article).where(Article.id == article.id).values(given))
    original = await create_article(session, slug="original", now=now)
    for each, values in (
        ("original", {"substance_changed_at": now}),
        ("fine", {"original_id": original.id, "updated_at": now - DAY}),
    ):
        await session.execute(
            update(Article)
            .where(Article.slug == each)
            .values(owner_id=editor.account.id, review_at=now + 3 * DAY, **values)
        )
    await create_article(session, slug="draft", published=False)
    await session.commit()

    found = (await editor.get(CONCERNS))["concerningArticles"]

    assert [(each["article"]["slug"], each["concerns"]) for each in found] == [
        ("forgotten", ["NO_REVIEW"]),
        ("due", ["REVIEW_DUE"]),
        ("useless", ["UNHELPFUL"]),
        ("nobody", ["NO_OWNER"]),
        ("fine", ["OLD_TRANSLATION"]),
    ]


async def test_what_was_bought_and_where_it_is_decides_between_articles_that_answer_as_well(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    customer, stranger = await clients.customer(), await clients.customer()
    for slug, title in (("shoes", "Care for leather shoes"), ("teapot", "Care for a teapot")):
        await create_article(session, slug=slug, title=title, body="Gently.")
    lines = {title: await buy(session, shop, customer, title=title) for title in ("Teapot", "Leather shoes")}
    await session.commit()
    await shop.article_index.ready()
    shop.article_index.at_each_search = shop.synonyms.at_each_search = False
    await shop.synonyms.known()

    for title, best in (("Teapot", "teapot"), ("Leather shoes", "shoes")):
        with count_statements(shop) as counted:
            found = await customer.get(SUGGEST, query="how do I care for it", line=lines[title])
        assert found["articleSuggestions"][0] == {"slug": best}
        assert counted.total <= 6
    for line in (lines["Teapot"], global_id("OrderLine", 99_999)):
        for reader in (stranger, clients.guest()):
            reply = await reader.ask(SUGGEST, query="care", line=line)
            assert reply["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_what_several_ask_and_no_article_answers_is_shown_until_they_are_erased(
    clients: Clients, shop: Shop, session: AsyncSession
) -> None:
    await create_article(session, title="teapot leaks")
    tickets = [
        await create_ticket(session, description=text, now=shop.clock())
        for text in ("please engrave my ring 13800138000", "engrave the ring", "teapot leaks again", "hello")
    ]
    await session.commit()
    for _ in range(3):
        await (await clients.customer()).get(SUGGEST, query="engrave my ring")
    await shop.questions.write(last=True)
    editor, topics = await clients.staff(Role.SUPPORT), "{ questionTopics { size examples } }"
    assert (await editor.get(topics))["questionTopics"] == []

    await shop.topics.find()
    await shop.topics.find()

    examples = ["please engrave my ring #", "engrave the ring", "engrave my ring"]
    [topic] = (await editor.get(topics))["questionTopics"]
    assert (topic["size"], sorted(topic["examples"])) == (5, sorted(examples))
    await session.execute(update(Ticket).where(Ticket.id == tickets[0].id).values(description=""))
    await session.commit()
    [topic] = (await editor.get(topics))["questionTopics"]
    assert sorted(topic["examples"]) == sorted(examples[1:])
    assert (await (await clients.customer()).ask(topics))["data"] is None

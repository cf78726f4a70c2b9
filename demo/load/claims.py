"""What customers claim after the sale, and how far it has come."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from sqlalchemy import select

from demo.load.scene import Scene
from domain.aftersales.answering import agree_ticket, refuse_ticket
from domain.aftersales.opening import Application, cancel_ticket, open_ticket, ship_return
from domain.aftersales.rules import Claim, Wanted
from events.aftersales import deadlines_of
from events.shop import Shop
from models import Order, OrderLine, Ticket, TicketStatus

OPENED = timedelta(hours=20)
"""How long ago a ticket was opened: less than the shop has to answer."""
ANSWERED = timedelta(hours=2)


async def open_(scene: Scene) -> None:
    claimed = scene.story.ticket
    if claimed is None:
        raise LookupError("this story has no ticket")
    shop = scene.now(ago=OPENED)
    async with shop.database.writes.begin() as session:
        order = await session.get_one(Order, scene.order_id)
        line_id = await session.scalar(select(OrderLine.id).where(OrderLine.order_id == order.id))
        claim = Claim(claimed.type, claimed.reason, (Wanted(line_id or 0, 1),))
        await open_ticket(
            session,
            order.id,
            Application(claim, claimed.words),
            deadlines_of(shop),
            number=shop.secrets.number("T", shop.clock()),
            key=order.number,
            now=shop.clock(),
            by=scene.buyer.id,
        )


async def ticket_of(scene: Scene) -> Ticket:
    async with scene.shop.database.reads() as session:
        return (await session.scalars(select(Ticket).where(Ticket.order_id == scene.order_id))).one()


def answering(scene: Scene) -> Shop:
    return scene.now(ago=ANSWERED)


async def agree(scene: Scene) -> None:
    ticket, shop = await ticket_of(scene), answering(scene)
    async with shop.database.writes.begin() as session:
        await agree_ticket(session, ticket.id, deadlines_of(shop), now=shop.clock(), by=scene.cast.manager)


async def refuse(scene: Scene) -> None:
    ticket, shop = await ticket_of(scene), answering(scene)
    async with shop.database.writes.begin() as session:
        await refuse_ticket(
            session,
            ticket.id,
            deadlines_of(shop),
            reason="照片上看不出问题，请补充清晰的照片。",
            now=shop.clock(),
            by=scene.cast.manager,
        )


async def return_(scene: Scene) -> None:
    """The goods travel back, where the shop is waiting for any."""
    ticket, shop = await ticket_of(scene), scene.now(ago=ANSWERED / 2)
    if ticket.status is not TicketStatus.AWAITING_RETURN:
        return
    async with shop.database.writes.begin() as session:
        await ship_return(
            session,
            ticket.id,
            deadlines_of(shop),
            carrier="SF Express",
            tracking_number=f"SF{ticket.number}",
            now=shop.clock(),
            by=scene.buyer.id,
        )


async def cancel_ticket_(scene: Scene) -> None:
    ticket, shop = await ticket_of(scene), answering(scene)
    async with shop.database.writes.begin() as session:
        await cancel_ticket(session, ticket.id, deadlines_of(shop), now=shop.clock(), by=scene.buyer.id)


TICKET_STEPS: Mapping[str, Callable[[Scene], Awaitable[None]]] = {
    "open": open_,
    "agree": agree,
    "refuse": refuse,
    "return": return_,
    "cancel_ticket": cancel_ticket_,
}

"""Carriers: saving and archiving them, and finding the one that a parcel goes by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import Invalid, LimitReached, NotFound, Taken, WrongState, collect_refusals
from domain.shipment.carrier_rates import CarrierRateDraft, normalize_rates
from domain.shipment.carrier_rules import check_not_in_rules
from domain.stock import Weekday
from domain.versions import check_version
from models import (
    CARRIER_CODE_LENGTH,
    CONNECTION_TERMS,
    OWN_COURIERS,
    Carrier,
    CarrierCode,
    CarrierConnection,
)

CARRIERS_LIMIT = 100
TEXT_LIMIT = 100
LINK_LIMIT = 500
LONGEST_POLL_INTERVAL = timedelta(days=7)
CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]*")
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
LINK = re.compile(r"https?://[^\s<>\"]+")
NUMBER_IN_LINK = "{number}"


@dataclass(frozen=True, slots=True)
class CutOff:
    """Until when a carrier takes parcels along on a day, in the shop's time zone, such as "17:30"."""

    weekday: Weekday
    until: str


@dataclass(frozen=True, slots=True)
class CarrierDraft:
    """All that is saved of a carrier."""

    code: str
    name: str
    connection: CarrierConnection
    account: str = ""
    service: str = ""
    company_code: str = ""
    tracking_link: str = ""
    poll_seconds: int | None = None
    cut_offs: Sequence[CutOff] = ()
    takes_cash: bool = False
    rates: Sequence[CarrierRateDraft] = ()
    position: int | None = None


async def save_carrier(
    session: AsyncSession, draft: CarrierDraft, *, carrier_id: int | None, version: int | None
) -> Carrier:
    """Add a carrier, or replace all that is known of one but its code and connection.

    Conflict unless `version` is its current one.
    """
    carriers = list(
        await session.scalars(select(Carrier).order_by(Carrier.position, Carrier.id).with_for_update())
    )
    carrier = next((each for each in carriers if each.id == carrier_id), None)
    if carrier_id is not None:
        if carrier is None:
            raise NotFound("carrier", field=("id",))
        if version is None:
            raise Invalid("Say which version you have read.", field=("version",))
        check_version(carrier, version)
    values = normalize_draft(draft)
    if any(each.code == values["code"] and each is not carrier for each in carriers):
        raise Taken("There is a carrier {code} already.", code=str(values["code"]), field=("code",))
    if carrier is None:
        if len(carriers) >= CARRIERS_LIMIT:
            raise LimitReached("A shop has at most {limit} carriers.", limit=CARRIERS_LIMIT)
        last = max((each.position for each in carriers), default=0)
        carrier = Carrier(**(values | {"position": draft.position or last + 1}), version=1)
        session.add(carrier)
    else:
        check_changeable(carrier, draft, str(values["code"]))
        for name, value in values.items():
            setattr(carrier, name, value)
        carrier.position, carrier.version = draft.position or carrier.position, carrier.version + 1
    await session.flush()
    return carrier


def check_changeable(carrier: Carrier, draft: CarrierDraft, code: str) -> None:
    """Refuse another code or connection: parcels under way are known by them."""
    if carrier.archived_at is not None:
        raise WrongState("This carrier is archived; restore it first.", field=("id",))
    if carrier.code != code:
        raise Invalid("The code of a carrier stays: parcels are known by it.", field=("code",))
    if carrier.connection is not draft.connection:
        raise Invalid("The connection of a carrier stays: add another carrier.", field=("connection",))


def normalize_draft(draft: CarrierDraft) -> dict[str, object]:
    """The columns of a carrier; Invalid with everything that is malformed."""
    with collect_refusals() as check:
        code = check.value(normalize_code, "", draft.code)
        name = check.value(clean_line, "", draft.name, "name", shortest=1)
        account = check.value(clean_line, "", draft.account, "account")
        service = check.value(clean_line, "", draft.service, "service")
        company_code = check.value(clean_line, "", draft.company_code, "company_code")
        tracking_link = check.value(clean_tracking_link, "", draft.tracking_link)
        cut_offs = check.value(minutes_of, dict[str, int](), draft.cut_offs)
        rates = check.value(normalize_rates, list[dict[str, object]](), draft.rates)
        with check:
            check_poll_interval(draft)
        with check:
            check_position(draft.position)
        with check:
            if CONNECTION_TERMS[draft.connection].needs_company_code and not company_code:
                raise Invalid("Say by which code this connection knows the carrier.", field=("company_code",))
    kept = {"connection": draft.connection, "poll_seconds": draft.poll_seconds}
    texts = {"account": account, "service": service, "company_code": company_code}
    return {
        **kept,
        **texts,
        "code": CarrierCode(code),
        "name": name,
        "tracking_link": tracking_link,
        "cut_offs": cut_offs,
        "takes_cash": draft.takes_cash,
        "rates": rates,
    }


def normalize_code(code: str) -> str:
    cleaned = code.strip().upper()
    if len(cleaned) > CARRIER_CODE_LENGTH or not CODE.fullmatch(cleaned):
        raise Invalid(
            'A code has 1 to {limit} letters, digits, "-" and "_".',
            limit=CARRIER_CODE_LENGTH,
            field=("code",),
        )
    return cleaned


def clean_line(text: str, field: str, *, shortest: int = 0) -> str:
    cleaned = " ".join(text.split())
    if not shortest <= len(cleaned) <= TEXT_LIMIT:
        raise Invalid(
            "This text has {shortest} to {limit} characters.",
            shortest=shortest,
            limit=TEXT_LIMIT,
            field=(field,),
        )
    return cleaned


def clean_tracking_link(link: str) -> str:
    """The link of a carrier, which has a place for the number, or nothing."""
    cleaned = link.strip()
    if cleaned and not (check_link(cleaned, field="tracking_link") and NUMBER_IN_LINK in cleaned):
        raise Invalid(
            "The link of a carrier has {place} in it.", place=NUMBER_IN_LINK, field=("tracking_link",)
        )
    return cleaned


def check_link(link: str, *, field: str) -> bool:
    """True; Invalid unless it is an address of the web."""
    if len(link) > LINK_LIMIT or not LINK.fullmatch(link):
        raise Invalid(
            "A link begins with https:// and has at most {limit} characters.",
            limit=LINK_LIMIT,
            field=(field,),
        )
    return True


def minutes_of(cut_offs: Sequence[CutOff]) -> dict[str, int]:
    """The minute of each day until which parcels are taken along."""
    minutes = {}
    for index, each in enumerate(cut_offs):
        time = TIME.fullmatch(each.until)
        if time is None:
            raise Invalid('Give a time such as "17:30".', field=("cut_offs", index, "until"))
        if each.weekday.value in minutes:
            raise Invalid("Each day has one time.", field=("cut_offs", index, "weekday"))
        minutes[each.weekday.value] = int(time[1]) * 60 + int(time[2])
    return minutes


def check_poll_interval(draft: CarrierDraft) -> None:
    if draft.poll_seconds is None:
        return
    shortest = CONNECTION_TERMS[draft.connection].shortest_poll or timedelta(0)
    if (
        not max(shortest, timedelta(seconds=1))
        <= timedelta(seconds=draft.poll_seconds)
        <= LONGEST_POLL_INTERVAL
    ):
        raise Invalid(
            "This carrier is asked every {shortest} to {longest} seconds.",
            shortest=max(int(shortest.total_seconds()), 1),
            longest=int(LONGEST_POLL_INTERVAL.total_seconds()),
            field=("poll_seconds",),
        )


def check_position(position: int | None) -> None:
    if position is not None and not 1 <= position <= CARRIERS_LIMIT:
        raise Invalid("A position is 1 to {limit}.", limit=CARRIERS_LIMIT, field=("position",))


async def archive_carrier(session: AsyncSession, carrier_id: int, *, version: int, now: datetime) -> Carrier:
    """Stop giving parcels to a carrier; those under way are tracked on."""
    carrier = await lock_carrier(session, carrier_id, version=version)
    if carrier.code == OWN_COURIERS:
        raise WrongState("Delivery runs need the shop's own couriers.", field=("id",))
    if carrier.archived_at is None:
        await check_not_in_rules(session, carrier)
        carrier.archived_at, carrier.version = now, carrier.version + 1
    return carrier


async def restore_carrier(session: AsyncSession, carrier_id: int, *, version: int) -> Carrier:
    """Give parcels to an archived carrier again."""
    carrier = await lock_carrier(session, carrier_id, version=version)
    if carrier.archived_at is not None:
        carrier.archived_at, carrier.version = None, carrier.version + 1
    return carrier


async def lock_carrier(session: AsyncSession, carrier_id: int, *, version: int) -> Carrier:
    carrier = await session.get(Carrier, carrier_id, with_for_update=True, populate_existing=True)
    if carrier is None:
        raise NotFound("carrier", field=("id",))
    check_version(carrier, version)
    return carrier


async def find_carrier(session: AsyncSession, code: CarrierCode) -> Carrier:
    """The carrier of this code that parcels may be given to; NotFound or WrongState otherwise."""
    carrier = await session.scalar(select(Carrier).where(Carrier.code == code))
    if carrier is None:
        raise NotFound("carrier", field=("carrier",))
    if carrier.archived_at is not None:
        raise WrongState("{name} takes no more parcels.", name=carrier.name, field=("carrier",))
    return carrier


def is_polled(carrier: Carrier) -> bool:
    """Whether it can be asked where parcels are."""
    return CONNECTION_TERMS[carrier.connection].shortest_poll is not None


def poll_interval_of(carrier: Carrier, *, simulated: timedelta) -> timedelta:
    """How long after one question about a parcel the next one comes."""
    return carrier.poll_interval or CONNECTION_TERMS[carrier.connection].usual_poll or simulated


def cut_offs_of(carrier: Carrier) -> list[CutOff]:
    """The cut-offs of a carrier, from Monday on."""
    return [
        CutOff(day, f"{minutes // 60:02}:{minutes % 60:02}")
        for day in Weekday
        if (minutes := carrier.cut_offs.get(day.value)) is not None
    ]

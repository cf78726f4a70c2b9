"""Amounts and moments as Alipay writes them: yuan with two decimals, and the time of Beijing."""

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from models import CurrencyCode, Money

BEIJING = ZoneInfo("Asia/Shanghai")
MOMENT = "%Y-%m-%d %H:%M:%S"
YUAN = re.compile(r"-?\d{1,12}(\.\d{1,2})?", re.ASCII)


def write_yuan(amount: Money) -> str:
    return f"{amount.amount:.2f}"


def read_yuan(text: object) -> Money:
    """An amount in CNY; ValueError unless it is exact to the fen."""
    if not isinstance(text, str) or not YUAN.fullmatch(text):
        raise ValueError("not an amount")
    return Money.of(Decimal(text), CurrencyCode.CNY)


def write_moment(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime(MOMENT)


def read_moment(text: object) -> datetime:
    """A moment; ValueError unless it is one. Fractions of seconds, which refunds have, are dropped."""
    return datetime.strptime(str(text).partition(".")[0], MOMENT).replace(tzinfo=BEIJING)

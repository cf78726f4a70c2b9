"""Values of attributes: what a text means, and the text that means a value."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from domain.catalog.interchange.values import shown
from domain.catalog.numbers import read_amount, spelled
from domain.catalog.units import alike, factor
from domain.errors import Invalid
from models import Attribute, AttributeType, AttributeValue

TEXT_LIMIT = 2_000
"""Characters of a TEXT value, and of what is written for any other."""

NUMBER_LIMIT = Decimal(1_000_000_000)
NUMBER_DECIMALS = 6
"""Fifteen digits in all: SQLite keeps numbers as doubles."""

TOLD = 10
"""Allowed values a refusal lists."""

_QUANTUM = Decimal(1).scaleb(-NUMBER_DECIMALS)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YES = ("true", "yes", "1", "是")
_NO = ("false", "no", "0", "否")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that an ENUM attribute allows."""

    id: int
    code: str
    names: tuple[str, ...]
    """In every language."""


Value = Choice | Decimal | bool | str | date


@dataclass(frozen=True)
class AttributeFacts:
    """What has to be known of an attribute to read its values."""

    code: str
    name: str
    type: AttributeType
    units: tuple[str, ...] = ()
    """The unit of a NUMBER in the shop's language, then in others."""
    choices: tuple[Choice, ...] = ()

    @cached_property
    def by_code(self) -> Mapping[str, Choice]:
        return {choice.code: choice for choice in self.choices}

    @cached_property
    def by_word(self) -> Mapping[str, Sequence[Choice]]:
        """Choices by what they are called anywhere; some languages call two the same."""
        found: defaultdict[str, dict[str, Choice]] = defaultdict(dict)
        for choice in self.choices:
            for word in (choice.code, *choice.names):
                found[_folded(word)][choice.code] = choice
        return {word: tuple(choices.values()) for word, choices in found.items()}


class WrongValue(Invalid):
    """An attribute cannot have this value."""

    def __init__(self, attribute: AttributeFacts, value: str, *, allowed: str, because: str = "") -> None:
        said = shown("".join(sign if sign.isprintable() else " " for sign in value))
        why = f", {because}" if because else ""
        super().__init__(f"{attribute.name} ({attribute.code}) cannot be {said}{why}; allowed: {allowed}.")
        self.attribute = attribute.code
        self.value = value
        self.allowed = allowed


def facts_of(attribute: Attribute, values: Sequence[AttributeValue] = ()) -> AttributeFacts:
    """The facts from the rows, `values` in their order."""
    return AttributeFacts(
        code=attribute.code,
        name=attribute.name,
        type=attribute.type,
        units=tuple(_told(attribute.unit, attribute.translations, "unit")),
        choices=tuple(
            Choice(value.id, value.code, tuple(_told(value.name, value.translations, "name")))
            for value in values
        ),
    )


def parse_value(attribute: AttributeFacts, text: str) -> Value:
    """What `text` says of the attribute; WrongValue when that is not allowed."""
    if len(text) > TEXT_LIMIT:
        raise _wrong(attribute, text, f"which has {len(text):,} characters")
    return _READERS[attribute.type](attribute, text.strip())


def show_value(attribute: AttributeFacts, value: Value) -> str:
    """The one text that stands for a value: `parse_value` gives the value back."""
    match value:
        case Choice():
            return value.code
        case bool():
            return "true" if value else "false"
        case Decimal():
            return " ".join((spelled(value), *attribute.units[:1]))
        case date():
            return value.isoformat()
        case str():
            return value


def _told(text: str | None, translations: Mapping[str, Mapping[str, str]], field: str) -> Iterator[str]:
    yield from (text,) if text else ()
    yield from (texts[field] for texts in translations.values() if texts.get(field))


def _allowed(attribute: AttributeFacts) -> str:
    match attribute.type:
        case AttributeType.ENUM:
            codes = [choice.code for choice in attribute.choices]
            more = f" and {len(codes) - TOLD} more" if len(codes) > TOLD else ""
            return f"{', '.join(codes[:TOLD])}{more}" if codes else "nothing so far"
        case AttributeType.NUMBER:
            unit = f"in {', '.join(alike(attribute.units[0]))}" if attribute.units else "without a unit"
            return f"a number below {NUMBER_LIMIT:,} with at most {NUMBER_DECIMALS} decimals, {unit}"
        case AttributeType.BOOLEAN:
            return "true or false"
        case AttributeType.DATE:
            return "a date such as 2026-03-01"
        case AttributeType.TEXT:
            return f"a text of 1 to {TEXT_LIMIT:,} characters"


def _wrong(attribute: AttributeFacts, text: str, because: str = "") -> WrongValue:
    return WrongValue(attribute, text, allowed=_allowed(attribute), because=because)


def _choice(attribute: AttributeFacts, text: str) -> Choice:
    if exact := attribute.by_code.get(text):
        return exact
    found = attribute.by_word.get(_folded(text), ())
    if len(found) > 1:
        raise _wrong(attribute, text, f"which means {' or '.join(choice.code for choice in found)}")
    if not found:
        raise _wrong(attribute, text)
    return found[0]


def _flag(attribute: AttributeFacts, text: str) -> bool:
    word = _folded(text)
    if word not in _YES + _NO:
        raise _wrong(attribute, text)
    return word in _YES


def _folded(text: str) -> str:
    """One spelling: width, capitals and blanks make no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _number(attribute: AttributeFacts, text: str) -> Decimal:
    meanings, unit = read_amount(text)
    if len(meanings) > 1:
        raise _wrong(attribute, text, f"which may mean {' or '.join(map(spelled, sorted(meanings)))}")
    times = _times(attribute, unit)
    if not meanings or times is None:
        raise _wrong(attribute, text)
    return _fitting(attribute, text, meanings.pop(), times)


def _times(attribute: AttributeFacts, unit: str) -> Decimal | None:
    """How many units of the attribute one of `unit` is."""
    if not unit:
        return Decimal(1)
    factors = (factor(unit, own) for own in attribute.units)
    return next((each for each in factors if each is not None), None)


def _fitting(attribute: AttributeFacts, text: str, number: Decimal, times: Decimal) -> Decimal:
    """The number in the unit of the attribute; only converting may round it, and never to nothing."""
    amount = number * times
    rounded = amount.quantize(_QUANTUM) if abs(amount) < NUMBER_LIMIT else NUMBER_LIMIT
    lost = rounded != number if times == 1 else number and not rounded
    if lost or abs(rounded) >= NUMBER_LIMIT:
        raise _wrong(attribute, text)
    return rounded + 0


def _date(attribute: AttributeFacts, text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _wrong(attribute, text)


def _text(attribute: AttributeFacts, text: str) -> str:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in plain if sign not in "\n\t"):
        raise _wrong(attribute, text, "which holds characters that cannot be shown")
    if not plain:
        raise _wrong(attribute, text)
    return plain


_READERS: Mapping[AttributeType, Callable[[AttributeFacts, str], Value]] = {
    AttributeType.ENUM: _choice,
    AttributeType.NUMBER: _number,
    AttributeType.BOOLEAN: _flag,
    AttributeType.TEXT: _text,
    AttributeType.DATE: _date,
}

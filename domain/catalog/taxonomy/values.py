"""Parsing and formatting the values of attributes."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from domain.catalog.numbers import format_number, parse_number
from domain.catalog.problems import list_names, quote_value
from domain.catalog.taxonomy.units import compatible_units, conversion_factor
from domain.errors import Invalid
from models import Attribute, AttributeType, AttributeValue
from text.messages import Alternatives, Message

TEXT_LIMIT = 2_000
"""Characters of the text of any value."""

NUMBER_LIMIT = Decimal(1_000_000_000)
NUMBER_DECIMALS = 6
"""Fifteen digits in all, which is what a double holds: SQLite stores numbers as doubles."""


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
class AttributeDefinition:
    """An attribute as far as parsing and formatting of its values need it."""

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
    def by_name(self) -> Mapping[str, Sequence[Choice]]:
        """Choices by their normalized codes and names; two choices may have the same name in a language."""
        found: defaultdict[str, dict[str, Choice]] = defaultdict(dict)
        for choice in self.choices:
            for name in (choice.code, *choice.names):
                found[_normalize(name)][choice.code] = choice
        return {name: tuple(choices.values()) for name, choices in found.items()}


class WrongValue(Invalid):
    """An attribute cannot have this value."""

    def __init__(
        self,
        attribute: AttributeDefinition,
        value: str,
        *,
        allowed: Message | str,
        because: Message | None = None,
    ) -> None:
        quoted = quote_value("".join(each if each.isprintable() else " " for each in value))
        template = (
            "{name} ({code}) cannot be {value}, {because}; allowed: {allowed}"
            if because
            else "{name} ({code}) cannot be {value}; allowed: {allowed}"
        )
        self.reason = Message(
            template, name=attribute.name, code=attribute.code, value=quoted, because=because, allowed=allowed
        )
        super().__init__("{reason}.", reason=self.reason)
        self.attribute = attribute.code
        self.value = value
        self.allowed = allowed


def definition_of(attribute: Attribute, values: Sequence[AttributeValue] = ()) -> AttributeDefinition:
    """The definition of an attribute; `values` are all it allows, in their order."""
    return AttributeDefinition(
        code=attribute.code,
        name=attribute.name,
        type=attribute.type,
        units=tuple(_in_all_languages(attribute.unit, attribute.translations, "unit")),
        choices=tuple(
            Choice(value.id, value.code, tuple(_in_all_languages(value.name, value.translations, "name")))
            for value in values
        ),
    )


def parse_value(attribute: AttributeDefinition, text: str) -> Value:
    """The value that `text` means; WrongValue when the attribute does not allow it."""
    if len(text) > TEXT_LIMIT:
        raise _wrong_value(attribute, text, Message("which has {length} characters", length=len(text)))
    return _PARSERS[attribute.type](attribute, text.strip())


def format_value(attribute: AttributeDefinition, value: Value) -> str:
    """The canonical text of a value; `parse_value` returns the value again."""
    match value:
        case Choice():
            return value.code
        case bool():
            return "true" if value else "false"
        case Decimal():
            return " ".join((format_number(value), *attribute.units[:1]))
        case date():
            return value.isoformat()
        case str():
            return value


def _in_all_languages(
    text: str | None, translations: Mapping[str, Mapping[str, str]], field: str
) -> Iterator[str]:
    yield from (text,) if text else ()
    yield from (texts[field] for texts in translations.values() if texts.get(field))


def _describe_allowed(attribute: AttributeDefinition) -> Message | str:
    match attribute.type:
        case AttributeType.ENUM:
            codes = [choice.code for choice in attribute.choices]
            return list_names(codes) if codes else Message("nothing so far")
        case AttributeType.NUMBER:
            if not attribute.units:
                return Message(
                    "a number below {limit} with at most {decimals} decimals, without a unit",
                    limit=NUMBER_LIMIT,
                    decimals=NUMBER_DECIMALS,
                )
            return Message(
                "a number below {limit} with at most {decimals} decimals, in {units}",
                limit=NUMBER_LIMIT,
                decimals=NUMBER_DECIMALS,
                units=", ".join(compatible_units(attribute.units[0])),
            )
        case AttributeType.BOOLEAN:
            return Message("true or false")
        case AttributeType.DATE:
            return Message("a date such as 2026-03-01")
        case AttributeType.TEXT:
            return Message("a text of 1 to {limit} characters", limit=TEXT_LIMIT)


def _wrong_value(attribute: AttributeDefinition, text: str, because: Message | None = None) -> WrongValue:
    return WrongValue(attribute, text, allowed=_describe_allowed(attribute), because=because)


def _parse_choice(attribute: AttributeDefinition, text: str) -> Choice:
    if exact := attribute.by_code.get(text):
        return exact
    found = attribute.by_name.get(_normalize(text), ())
    if len(found) > 1:
        codes = Alternatives([choice.code for choice in found])
        raise _wrong_value(attribute, text, Message("which means {codes}", codes=codes))
    if not found:
        raise _wrong_value(attribute, text)
    return found[0]


def _parse_boolean(attribute: AttributeDefinition, text: str) -> bool:
    answer = _normalize(text)
    if answer not in _YES + _NO:
        raise _wrong_value(attribute, text)
    return answer in _YES


def _normalize(text: str) -> str:
    """`text` with normalized width, case and blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _parse_number_value(attribute: AttributeDefinition, text: str) -> Decimal:
    numbers, unit = parse_number(text)
    if len(numbers) > 1:
        meanings = Alternatives([format_number(number) for number in sorted(numbers)])
        raise _wrong_value(attribute, text, Message("which may mean {meanings}", meanings=meanings))
    factor = _unit_factor(attribute, unit)
    if not numbers or factor is None:
        raise _wrong_value(attribute, text)
    return _convert_number(attribute, text, numbers.pop(), factor)


def _unit_factor(attribute: AttributeDefinition, unit: str) -> Decimal | None:
    """How many units of the attribute one `unit` is; None when they do not measure the same."""
    if not unit:
        return Decimal(1)
    factors = (conversion_factor(unit, own) for own in attribute.units)
    return next((each for each in factors if each is not None), None)


def _convert_number(attribute: AttributeDefinition, text: str, number: Decimal, factor: Decimal) -> Decimal:
    """The number in the unit of the attribute, rounded only where the unit differs and never to zero."""
    amount = number * factor
    rounded = amount.quantize(_QUANTUM) if abs(amount) < NUMBER_LIMIT else NUMBER_LIMIT
    lost = rounded != number if factor == 1 else number and not rounded
    if lost or abs(rounded) >= NUMBER_LIMIT:
        raise _wrong_value(attribute, text)
    return rounded + 0


def _parse_date(attribute: AttributeDefinition, text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _wrong_value(attribute, text)


def _parse_text(attribute: AttributeDefinition, text: str) -> str:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in plain if each not in "\n\t"):
        raise _wrong_value(attribute, text, Message("which holds characters that cannot be shown"))
    if not plain:
        raise _wrong_value(attribute, text)
    return plain


_PARSERS: Mapping[AttributeType, Callable[[AttributeDefinition, str], Value]] = {
    AttributeType.ENUM: _parse_choice,
    AttributeType.NUMBER: _parse_number_value,
    AttributeType.BOOLEAN: _parse_boolean,
    AttributeType.TEXT: _parse_text,
    AttributeType.DATE: _parse_date,
}

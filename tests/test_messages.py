"""The catalogue of messages: every language has every text that the code can say, and nothing else."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bench.structure import parse_module
from domain.errors import DomainError, NotFound
from models import CurrencyCode, Money, OrderStatus
from tests.messages import (
    KEY,
    PLACEHOLDER,
    expected_keys,
    find_messages,
    read_entries,
    read_messages,
    term_templates,
    texts_of,
)
from text.messages import LANGUAGES, Alternatives, Capitalized, Message, choose_language
from text.messages.catalogue import first_form

TRANSLATIONS = sorted(LANGUAGES - {"en"})
SOURCE = """
class {base}(Exception): ...
class Refused(DomainError): ...
class Wrong(Refused):
    def __init__(self, name):
        super().__init__("No {{name}} here.", name=name)
{code}
"""


def read_source(code: str) -> tuple[set[str], int]:
    """The templates in a piece of code, and how many are composed."""
    found = read_messages([parse_module(SOURCE.format(base="DomainError", code=code), Path("domain/a.py"))])
    return {use.template for use in found.uses}, len(found.composed)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_message_is_translated(language: str) -> None:
    entries = read_entries(language)
    templates = {use.template for use in find_messages().uses} | term_templates() | expected_keys()

    missing = [each for each in templates if each not in entries or not all(texts_of(entries[each]))]

    assert sorted(missing) == [], "`make messages` adds them to the catalogue; then write their texts"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_text_is_left_over(language: str) -> None:
    sentences = {use.template for use in find_messages().uses} | term_templates()
    expected = expected_keys() | (set() if language == "en" else sentences)

    assert sorted(set(read_entries(language)) - expected) == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_names_the_same_facts(language: str) -> None:
    english = read_entries("en")
    for template, entry in read_entries(language).items():
        source = first_form(english[template].string) if KEY.fullmatch(template) else template
        named = set(PLACEHOLDER.findall(source))
        if entry.pluralizable:
            named |= set(PLACEHOLDER.findall(entry.id[1]))
        for text in texts_of(entry):
            assert set(PLACEHOLDER.findall(text)) == named, template


def test_every_place_gives_the_facts_that_its_message_names() -> None:
    for use in find_messages().uses:
        named = set(PLACEHOLDER.findall(use.template)) | set(PLACEHOLDER.findall(use.plural))
        assert named <= use.facts, use
        assert bool(use.plural) <= ("count" in use.facts), use


def test_a_message_is_a_literal_of_which_the_catalogue_can_have_a_translation() -> None:
    assert find_messages().composed == ()


@pytest.mark.parametrize(
    ("code", "templates", "composed"),
    [
        ('raise Refused("Too {size}.", size=1)', {"Too {size}."}, 0),
        ('raise Refused("One." if x else "Two.")', {"One.", "Two."}, 0),
        ('def f():\n    text = "One."\n    raise Refused(text)', {"One."}, 0),
        ('LATE = Message("Late.")\nraise Refused(LATE)', {"Late."}, 0),
        ('raise Refused(f"Too {size}.")', set(), 1),
        ('raise Refused("Too " + size)', set(), 1),
        ('raise Refused("Too {}.".format(size))', set(), 1),
        ("raise Refused(str(error))", set(), 1),
        ('def f():\n    text = f"Too {size}."\n    raise Refused(text)', set(), 1),
        ('raise ValueError(f"Too {size}.")', set(), 0),
    ],
)
def test_messages_are_found_in_the_code(code: str, templates: set[str], composed: int) -> None:
    assert read_source(code) == (templates | {"No {name} here."}, composed)


def test_facts_are_written_as_each_language_writes_them() -> None:
    message = Message(
        "{count} {money} {day} {moment} {status} {names} {choice} {thing}",
        count=12_345,
        money=Money(123_450, CurrencyCode.CNY),
        day=date(2026, 3, 1),
        moment=datetime(2026, 3, 1, 12, 5, tzinfo=UTC),
        status=OrderStatus.CONFIRMED,
        names=["A", "B"],
        choice=Alternatives(["A", "B"]),
        thing=Capitalized(Message("order")),
    )

    assert message.text("en") == (
        "12,345 1,234.50 CNY 2026-03-01 2026-03-01 at 12:05 UTC confirmed A and B A or B Order"
    )
    assert message.text("zh-CN") == (
        "12,345 ¥1,234.50 2026年3月1日 2026年3月1日 12:05（UTC） 已确认 A和B A或B 订单"
    )
    assert Message("{a} {b} {c}", a=Decimal("0.5"), b=timedelta(hours=3), c=None).text("zh") == "0.5 3小时 "


def test_a_number_chooses_the_form_of_the_sentence() -> None:
    def used(count: int) -> Message:
        return Message(
            "It has been used once already.", plural="It has been used {count} times already.", count=count
        )

    assert [used(count).text("en") for count in (1, 2)] == [
        "It has been used once already.",
        "It has been used 2 times already.",
    ]
    assert used(1).text("zh") == "已被使用 1 次。"


def test_a_language_that_the_shop_does_not_have_reads_english() -> None:
    assert [NotFound("order").message.text(tag) for tag in ("zh-TW", "fr-CA", "", "en-GB")] == [
        "没有这个订单。",
        *["There is no such order."] * 3,
    ]
    assert choose_language("fr", "zh-CN") == "zh"


def test_a_refusal_reads_english_in_logs() -> None:
    assert str(DomainError("At most {limit} characters.", limit=5)) == "At most 5 characters."
    assert repr(DomainError("Please sign in first.")) == "DomainError(Message('Please sign in first.'))"


def test_no_template_ends_with_a_blank_or_has_a_format_of_its_own() -> None:
    for use in find_messages().uses:
        assert use.template == use.template.strip(), use
        assert re.findall(r"{[^{}]*}", use.template) == [
            f"{{{name}}}" for name in PLACEHOLDER.findall(use.template)
        ]

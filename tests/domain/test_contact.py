"""E-mail addresses, phone numbers and countries are stored in one spelling."""

import pytest

from domain.contact import normalize_country, normalize_email, normalize_login, normalize_phone
from domain.errors import Invalid


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("mei@example.com", "mei@example.com"),
        ("  MEI@Example.COM ", "mei@example.com"),
        ("mei+tea@mail.example.com", "mei+tea@mail.example.com"),
        ("林@例子.中国", "林@xn--fsqu00a.xn--fiqs8s"),
        ("林@xn--fsqu00a.xn--fiqs8s", "林@xn--fsqu00a.xn--fiqs8s"),
        ("Ｅｍｍａ＠example。com", "emma@example.com"),
        ("zoe\u0308@example.com", "zoë@example.com"),
        ("em\u00adma\u200b@example.com", "emma@example.com"),
        ("мария@пример.рф", "мария@xn--e1afmkfd.xn--p1ai"),
        ("张wei@example.com", "张wei@example.com"),
        ("sales@faß.de", "sales@xn--fa-hia.de"),
    ],
)
def test_an_email_address_is_stored_in_lower_case(text: str, email: str) -> None:
    assert normalize_email(text) == email


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mei",
        "@example.com",
        "mei@",
        "mei@example",
        "mei@.com",
        "a b@example.com",
        "a@b@c.com",
        "a@b.c\x00",
        "emma\u202e@example.com",
        "a@" + "例" * 80 + ".com",
        "a@xn--zz--.com",
    ],
)
def test_an_invalid_email_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        normalize_email(text)


@pytest.mark.parametrize("text", ["pаypal@example.com", "a@раypal.com", "a@xn--pypal-4ve.com"])
def test_an_email_address_that_looks_like_another_one_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="letters of one script only"):
        normalize_email(text)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800138000", "+8613800138000"),
        ("138-0013 8000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("0571 8888 8888", "+8657188888888"),
        ("+44 20 7946 0000", "+442079460000"),
    ],
)
def test_a_phone_number_is_stored_in_e164_and_is_chinese_without_a_country_code(
    text: str, phone: str
) -> None:
    assert normalize_phone(text) == phone


@pytest.mark.parametrize("text", ["", "110", "call me", "+1 555", "1" * 300])
def test_an_invalid_phone_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        normalize_phone(text)


def test_a_login_is_an_email_address_or_a_phone_number_in_any_spelling() -> None:
    assert normalize_login(" Mei@example.com") == "mei@example.com"
    assert normalize_login("138 0013 8000") == "+8613800138000"
    assert normalize_login("mei") is None


def test_a_country_is_a_known_two_letter_code() -> None:
    assert normalize_country(" cn") == "CN"
    with pytest.raises(Invalid):
        normalize_country("ZZ")

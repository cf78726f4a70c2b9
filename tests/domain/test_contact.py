"""How somebody is reached has one spelling only."""

import pytest

from domain.contact import country_of, email_of, login_of, phone_of
from domain.errors import Invalid


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("mei@example.com", "mei@example.com"),
        ("  MEI@Example.COM ", "mei@example.com"),
        ("mei+tea@mail.example.com", "mei+tea@mail.example.com"),
        ("林@例子.中国", "林@例子.中国"),
    ],
)
def test_an_email_address_is_kept_in_lower_case(text: str, email: str) -> None:
    assert email_of(text) == email


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
    ],
)
def test_what_is_no_email_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        email_of(text)


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
def test_a_phone_number_is_kept_in_e164_and_is_chinese_unless_it_says_otherwise(
    text: str, phone: str
) -> None:
    assert phone_of(text) == phone


@pytest.mark.parametrize("text", ["", "110", "call me", "+1 555", "1" * 300])
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        phone_of(text)


def test_one_signs_in_by_either_however_it_is_written() -> None:
    assert login_of(" Mei@example.com") == "mei@example.com"
    assert login_of("138 0013 8000") == "+8613800138000"
    assert login_of("mei") is None


def test_a_country_is_two_letters_of_the_list() -> None:
    assert country_of(" cn") == "CN"
    with pytest.raises(Invalid):
        country_of("ZZ")

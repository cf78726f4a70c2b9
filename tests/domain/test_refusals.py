"""A form learns all its refusals at once."""

import pytest

from domain.errors import REFUSALS_LIMIT, DomainError, ErrorCode, Invalid, Refusals, Taken, collect_refusals


def check_slug_and_title() -> None:
    with collect_refusals() as check:
        with check:
            raise Taken("Another one has this slug.", field=("slug",))
        with check:
            pass
        with check:
            raise Invalid("This cannot be empty.", field=("title",))


def check_slug() -> None:
    with collect_refusals() as check, check:
        raise Taken("Another one has this slug.", field=("slug",))


def check_address() -> None:
    with collect_refusals() as check:
        for name in ("city", "phone"):
            check.add(Invalid("Wrong.", field=(name,)))


def check_form_with_address() -> None:
    with collect_refusals() as check:
        with check:
            check_address()
        with check:
            raise Invalid("Wrong.", field=("phone",))
        raise Invalid("Wrong.", field=("line1",))


def check_and_fail() -> None:
    with collect_refusals() as check:
        check.add(Invalid("Wrong."))
        with check:
            raise ZeroDivisionError


def check_lines(count: int) -> None:
    with collect_refusals() as check:
        check.add(*(Invalid("Wrong.", field=("lines", index)) for index in range(count)))


def test_all_checks_are_made_and_their_refusals_come_together() -> None:
    with pytest.raises(Refusals) as refused:
        check_slug_and_title()

    assert [(each.code, each.field) for each in refused.value.each] == [
        (ErrorCode.TAKEN, ("slug",)),
        (ErrorCode.INVALID, ("title",)),
    ]
    assert (refused.value.code, str(refused.value)) == (ErrorCode.TAKEN, "Another one has this slug.")


def test_one_refusal_alone_is_raised_as_it_is() -> None:
    with pytest.raises(Taken):
        check_slug()


def test_forms_within_a_form_have_one_list_and_each_refusal_once() -> None:
    with pytest.raises(DomainError) as refused:
        check_form_with_address()

    assert [each.field for each in refused.value.each] == [("city",), ("phone",), ("line1",)]


def test_what_is_no_refusal_is_not_collected() -> None:
    with pytest.raises(ZeroDivisionError):
        check_and_fail()


def test_a_form_has_a_limited_number_of_refusals() -> None:
    with pytest.raises(Refusals) as refused:
        check_lines(REFUSALS_LIMIT + 1)

    assert len(refused.value.each) == REFUSALS_LIMIT

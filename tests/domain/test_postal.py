"""Validation of postal addresses in China and abroad."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.address import PostalAddress, normalize_address
from domain.errors import DomainError, ErrorCode
from geo import area_names, full_names
from geo.area_table import Area
from tests.factories.order import HANGZHOU

NEW_YORK = PostalAddress(
    recipient="Ann Lee",
    phone="212 555 0175",
    country_code="us",
    province="NY",
    city="New York",
    district="",
    line1="1 Broadway",
    line2="",
    postal_code="10004",
)


@pytest.mark.parametrize(
    ("province", "city", "district"),
    [
        ("浙江省", "杭州市", "西湖区"),
        ("浙江", "杭州", "西湖"),
        (" 浙江 ", "杭州市", "西湖区"),
        ("Zhejiang", "Hangzhou", "Xihu District"),
        ("zhejiang sheng", "hangzhou shi", "xihu qu"),
    ],
)
def test_a_chinese_address_is_stored_in_one_spelling(province: str, city: str, district: str) -> None:
    stored = normalize_address(replace(HANGZHOU, province=province, city=city, district=district))

    assert (stored.province, stored.city, stored.district) == ("浙江省", "杭州市", "西湖区")


@pytest.mark.parametrize(
    ("given_names", "expected"),
    [
        (("北京", "市辖区", "朝阳"), ("北京市", "北京市", "朝阳区")),
        (("上海市", "上海市", "徐汇区"), ("上海市", "上海市", "徐汇区")),
        (("重庆市", "县", "城口县"), ("重庆市", "重庆市", "城口县")),
        (("河南省", "省直辖县级行政区划", "济源市"), ("河南省", "济源市", "济源市")),
        (("广东省", "东莞市", "长安镇"), ("广东省", "东莞市", "长安镇")),
        (("内蒙古", "阿拉善盟", "阿拉善左旗"), ("内蒙古自治区", "阿拉善盟", "阿拉善左旗")),
        (("浙江省", "杭州市", "江干区"), ("浙江省", "杭州市", "江干区")),
        (("Shaanxi", "Xi'an", "Yanta"), ("陕西省", "西安市", "雁塔区")),
        (("香港", "香港", "九龙"), ("香港特别行政区", "香港", "九龙")),
    ],
)
def test_cities_without_districts_and_municipalities_are_known(
    given_names: tuple[str, str, str], expected: tuple[str, str, str]
) -> None:
    assert full_names(*given_names) == expected


@given(
    st.sampled_from(
        [(above, area) for above, areas in area_names.area_tree().districts.items() for area in areas]
    )
)
def test_every_existing_district_is_accepted(
    placed: tuple[tuple[str, str], Area],
) -> None:
    (province, city), district = placed

    found = full_names(province, city, district.name)

    assert found[:2] == (province, city)
    assert found[2] == district.name or district.former


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"province": "加州"}, "province", "China has no such province; there are 北京市, 天津市,"),
        ({"city": "苏州市"}, "city", "浙江省 has no such city; there are 杭州市, 宁波市,"),
        ({"district": "锦江区"}, "district", "杭州市 has no such district; there are 上城区, 拱墅区,"),
        ({"district": ""}, "district", "An address needs its district."),
        ({"postal_code": "3100"}, "postal_code", "A Chinese postal code has six digits."),
        ({"phone": "12345"}, "phone", "This is not a phone number."),
    ],
)
def test_a_refused_chinese_address_names_the_wrong_part_and_the_allowed_values(
    changes: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(DomainError) as refused:
        normalize_address(replace(HANGZHOU, **changes), field=("address",))

    assert (refused.value.code, refused.value.field) == (ErrorCode.INVALID, ("address", field))
    assert str(refused.value).startswith(message)


def test_a_foreign_address_is_stored_as_its_country_writes_it() -> None:
    stored = normalize_address(replace(NEW_YORK, province="new york"))

    assert (stored.country_code, stored.province, stored.city) == ("US", "NY", "New York")
    assert stored.phone == "+12125550175"
    british = replace(
        NEW_YORK, country_code="GB", province="", city="London", postal_code="sw1a 1aa", phone="020 7946 0000"
    )
    assert normalize_address(british).postal_code == "SW1A 1AA"


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"province": ""}, "province", "An address needs its province."),
        (
            {"province": "浙江省"},
            "province",
            "This province is not known in United States; there",
        ),
        ({"postal_code": ""}, "postal_code", "An address needs its postal code."),
        (
            {"postal_code": "94107"},
            "postal_code",
            "This postal code is not known in United States; one",
        ),
        ({"city": ""}, "city", "An address needs its city."),
        ({"line1": " "}, "line1", "An address needs its line."),
        ({"phone": "13800138000"}, "phone", "This is not a phone number."),
        ({"country_code": "ZZ"}, "country_code", "This is not the two-letter code of a country."),
    ],
)
def test_a_refused_foreign_address_names_the_wrong_part(
    changes: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(DomainError) as refused:
        normalize_address(replace(NEW_YORK, **changes))

    assert (refused.value.code, refused.value.field) == (ErrorCode.INVALID, (field,))
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("province", "city"),
    [
        ("广东省", "东莞市"),
        ("广东", "中山"),
        ("海南省", "儋州市"),
        ("甘肃", "嘉峪关"),
        ("湖北省", "仙桃市"),
        ("河南省", "济源市"),
    ],
)
def test_cities_without_districts_need_none(province: str, city: str) -> None:
    stored = normalize_address(replace(HANGZHOU, province=province, city=city, district=""))

    assert (stored.city.removesuffix("市"), stored.district) == (city.removesuffix("市"), "")
    town = normalize_address(replace(HANGZHOU, province=province, city=city, district="长安镇"))
    assert town.district == "长安镇"


@pytest.mark.parametrize(
    ("given_names", "expected"),
    [
        (("廣東省", "廣州市", "天河區"), ("广东省", "广州市", "天河区")),
        (("陝西", "西安", "雁塔"), ("陕西省", "西安市", "雁塔区")),
        (("Zhèjiāng", "HANGZHOU", "xihu qu"), ("浙江省", "杭州市", "西湖区")),
        (("Guangxi", "Nanning", "Qingxiu"), ("广西壮族自治区", "南宁市", "青秀区")),
        (("Jilin", "yanbian", "Yanji"), ("吉林省", "延边朝鲜族自治州", "延吉市")),
    ],
)
def test_places_of_china_are_found_in_traditional_characters_and_with_tone_marks(
    given_names: tuple[str, str, str], expected: tuple[str, str, str]
) -> None:
    assert full_names(*given_names) == expected


def test_a_name_of_several_places_of_china_is_refused_with_all_of_them() -> None:
    several = "Several places have this name. Write which one is meant: 临夏市, 临夏县."
    for district in ("临夏", "linxia"):
        with pytest.raises(DomainError) as refused:
            normalize_address(replace(HANGZHOU, province="甘肃", city="临夏回族自治州", district=district))

        assert str(refused.value) == several
        assert refused.value.field == ("district",)

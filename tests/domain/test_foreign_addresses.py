"""Addresses abroad, as people type them, are taken and stored as their countries write them."""

import phonenumbers
import pytest

from domain.address import PostalAddress, normalize_address
from domain.errors import ErrorCode, Invalid
from domain.shipping.tariff import region_key, spell_region

ADDRESSES = [
    # country, what is typed (province, city, district, postal code), and what is stored of it
    ("BR", "SP", "Sao Paulo", "", "01310-100", ("SP", "São Paulo", "")),
    ("BR", "sao paulo", "SAO PAULO", "Bela Vista", "01310100", ("SP", "São Paulo", "Bela Vista")),
    ("BR", "Parana", "curitiba", "", "80010-000", ("PR", "Curitiba", "")),
    ("BR", "Ceara", "FORTALEZA", "", "60060-440", ("CE", "Fortaleza", "")),
    ("BR", "Goias", "goiania", "", "74015-010", ("GO", "Goiânia", "")),
    ("BR", "RJ", "Vila do Abraão", "", "23968-000", ("RJ", "Vila do Abraão", "")),
    ("BR", "Rio Grande Do Sul", "Sao Leopoldo", "", "93010-000", ("RS", "São Leopoldo", "")),
    ("ES", "A Coruna", "A CORUNA", "", "15001", ("C", "A Coruña", "")),
    ("ES", "cordoba", "Cordoba", "", "14001", ("CO", "Córdoba", "")),
    ("ES", "MALAGA", "Malaga", "", "29001", ("MA", "Málaga", "")),
    ("ES", "Alicante", "Elche", "", "03201", ("A", "Elche", "")),
    ("ES", "Gerona", "Besalu", "", "17850", ("Gerona", "Besalu", "")),
    ("ES", "provincia de Leon", "leon", "", "24001", ("LE", "León", "")),
    ("MX", "Nuevo Leon", "Monterrey", "", "64000", ("N.L.", "Monterrey", "")),
    ("MX", "YUCATAN", "Merida", "Centro", "97000", ("Yuc.", "Merida", "Centro")),
    ("MX", "Michoacan", "Morelia", "", "58000", ("Mich.", "Morelia", "")),
    ("MX", "Distrito Federal", "Mexico", "Coyoacan", "04000", ("Distrito Federal", "Mexico", "Coyoacan")),
    ("MX", "ciudad de mexico", "CIUDAD DE MEXICO", "", "06000", ("CDMX", "Ciudad de México", "")),
    ("AR", "Cordoba", "cordoba", "", "X5000", ("Córdoba", "Córdoba", "")),
    ("AR", "tucuman", "San Miguel de Tucuman", "", "T4000", ("Tucumán", "San Miguel de Tucuman", "")),
    ("AR", "Neuquen", "NEUQUEN", "", "", ("Neuquén", "Neuquén", "")),
    ("AR", "Provincia de Buenos Aires", "La Plata", "", "B1900", ("Buenos Aires", "La Plata", "")),
    ("CL", "Valparaiso", "vina del mar", "", "2520000", ("Valparaíso", "Viña del Mar", "")),
    ("CL", "Biobio", "Concepcion", "", "", ("Biobío", "Concepción", "")),
    ("CL", "Region Metropolitana", "Nunoa", "", "", ("Región Metropolitana", "Ñuñoa", "")),
    ("CO", "Bogota", "bogota", "Chapinero", "110231", ("Bogotá", "Bogotá", "Chapinero")),
    ("CO", "ATLANTICO", "Barranquilla", "", "", ("Atlántico", "Barranquilla", "")),
    ("PE", "Ancash", "Huaraz", "", "02001", ("Áncash", "Huaraz", "")),
    ("PE", "junin", "Huancayo", "", "", ("Junín", "Huancayo", "")),
    ("TW", "臺北市", "大安區", "", "106", ("台北市", "大安區", "")),
    ("TW", "台北市", "大安区", "", "106", ("台北市", "大安區", "")),
    ("TW", "Taipei", "Da'an", "", "106", ("台北市", "大安區", "")),
    ("TW", "臺東縣", "臺東市", "", "950", ("台東縣", "台東市", "")),
    ("TW", "高雄", "岡山", "", "820", ("高雄市", "岡山區", "")),
    ("KR", "서울", "강남구", "역삼동", "06236", ("서울특별시", "강남구", "역삼동")),
    ("KR", "SEOUL", "gangnam", "", "06236", ("서울특별시", "강남구", "")),
    ("KR", "Gyeonggi", "Suwon-si", "", "16490", ("경기도", "수원시", "")),
    ("JP", "Tokyo", "Shibuya-ku", "", "150-0001", ("東京都", "Shibuya-ku", "")),
    ("JP", "東京", "渋谷区", "", "1500001", ("東京都", "渋谷区", "")),
    ("JP", "京都府", "京都市", "", "604-8001", ("京都府", "京都市", "")),
    ("JP", "osaka-fu", "OSAKA", "", "530-0001", ("大阪府", "Osaka", "")),
    ("HK", "九龍", "旺角", "", "", ("Kowloon", "Mong Kok", "")),
    ("HK", "new territories", "SHA TIN", "", "", ("New Territories", "Sha Tin", "")),
    ("VN", "Ha Noi", "Ba Dinh", "", "100000", ("Hà Nội", "Ba Dinh", "")),
    ("VN", "da nang", "DA NANG", "", "550000", ("Đà Nẵng", "Đà Nẵng", "")),
    ("VN", "Ba Ria - Vung Tau", "Vung Tau", "", "790000", ("Bà Rịa–Vũng Tàu", "Vung Tau", "")),
    ("US", "new york", "NEW YORK", "", "10004", ("NY", "New York", "")),
    ("US", "State of Washington", "Walla Walla", "", "99362", ("WA", "Walla Walla", "")),
    ("US", "PR", "Mayaguez", "", "00680", ("PR", "Mayaguez", "")),
    ("CA", "quebec", "Trois-Rivieres", "", "g9a 1a1", ("QC", "Trois-Rivieres", "")),
    ("CA", "Colombie Britannique", "Vancouver", "", "V6B 1A1", ("BC", "Vancouver", "")),
    ("AU", "nsw", "Wagga Wagga", "", "2650", ("NSW", "Wagga Wagga", "")),
    ("IT", "Forli-Cesena", "Forli", "", "47121", ("FC", "Forli", "")),
    ("IT", "milano", "MILANO", "", "20121", ("MI", "Milano", "")),
    ("IN", "Orissa", "Puri", "", "752001", ("Orissa", "Puri", "")),
    ("IN", "tamilnadu", "Madras", "", "600001", ("Tamil Nadu", "Madras", "")),
    ("RU", "Москва", "Москва", "", "101000", ("Москва", "Москва", "")),
    ("RU", "Moskva", "moskva", "", "101000", ("Москва", "Moskva", "")),
    ("FR", "", "Saint-Etienne", "", "42000", ("", "Saint-Etienne", "")),
    ("DE", "", "Muenchen", "", "80331", ("", "Muenchen", "")),
    ("GB", "", "Llanfairpwll", "", "ll61 5uj", ("", "Llanfairpwll", "")),
    ("TR", "Istanbul", "Besiktas", "", "34330", ("İstanbul", "Besiktas", "")),
    ("TH", "Krung Thep", "Pathum Wan", "", "10330", ("Krung Thep", "Pathum Wan", "")),
    ("IE", "Cork", "Ballydehob", "", "", ("Co. Cork", "Ballydehob", "")),
]


def postal_address(country: str, province: str, city: str, district: str, code: str) -> PostalAddress:
    number = phonenumbers.example_number(country)
    assert number
    return PostalAddress(
        recipient="Ann Lee",
        phone=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        country_code=country,
        province=province,
        city=city,
        district=district,
        line1="1 Main Street",
        line2="",
        postal_code=code,
    )


@pytest.mark.parametrize(("country", "province", "city", "district", "code", "stored"), ADDRESSES)
def test_places_typed_carelessly_are_stored_as_their_country_writes_them(
    country: str, province: str, city: str, district: str, code: str, stored: tuple[str, str, str]
) -> None:
    found = normalize_address(postal_address(country, province, city, district, code))

    assert (found.province, found.city, found.district) == stored
    assert normalize_address(found) == found


@pytest.mark.parametrize(
    ("country", "province", "city", "names"),
    [("TW", "Chiayi", "West", "嘉義市|嘉義縣"), ("TW", "新竹", "北區", "新竹市|新竹縣")],
)
def test_a_name_of_several_places_is_refused_with_all_of_them(
    country: str, province: str, city: str, names: str
) -> None:
    with pytest.raises(Invalid, match="Several places have this name") as refused:
        normalize_address(postal_address(country, province, city, "", "600"))

    assert (refused.value.code, refused.value.field) == (ErrorCode.INVALID, ("province",))


@pytest.mark.parametrize(
    ("country", "province", "city", "code"),
    [
        ("BR", "Parana", "Curitiba", "01310-100"),
        ("ES", "A Coruna", "A Coruna", "28001"),
        ("TW", "臺北市", "大安區", "10"),
        ("IN", "Orissa", "Puri", "75200"),
    ],
)
def test_postal_codes_are_those_of_the_place_that_was_found(
    country: str, province: str, city: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        normalize_address(postal_address(country, province, city, "", code))

    assert refused.value.field == ("postal_code",)


@pytest.mark.parametrize("spelling", ["SP", "Sao Paulo", "são paulo", "SAO  PAULO"])
def test_zones_name_foreign_provinces_as_addresses_do(spelling: str) -> None:
    assert region_key("BR", spelling) == spell_region(f"BR/{spelling}") == "BR/SP"
    assert spell_region("BR") == "BR"

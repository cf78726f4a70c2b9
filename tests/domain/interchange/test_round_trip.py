"""Whatever is written is read back, and whatever stands in a file is taken or refused."""

import os
import re
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalog.drafts import ProductDraft
from domain.catalog.html import clean
from domain.catalog.interchange import Reading, read_products
from models.money import CurrencyCode
from tests.domain.interchange.reading import HTML, products, read, written

FOLDERS = os.environ.get("CARTWHEEL_SAMPLES", "").split(os.pathsep)
SAMPLES = sorted(path for folder in FOLDERS if folder for path in Path(folder).glob("*.csv"))
"""Product files of other shops, where somebody has some."""


@given(HTML)
def test_cleaning_what_is_clean_changes_nothing(html: str) -> None:
    cleaned = clean(html)

    assert clean(cleaned) == cleaned
    assert not re.search(r"<[^<>]*(script|onerror|svg|style|math)", cleaned)


SLUG = st.text(string.ascii_lowercase + string.digits + "-_茶叶", min_size=1, max_size=12)
SHELVES = st.lists(SLUG, max_size=4, unique=True).flatmap(lambda slugs: st.tuples(*map(products, slugs)))


@settings(max_examples=150)
@given(SHELVES, st.sampled_from(CurrencyCode))
def test_what_is_written_is_read_back_without_loss(
    shelf: tuple[ProductDraft, ...], currency: CurrencyCode
) -> None:
    data = written(shelf, currency=currency)

    assert read_products(data, file="goods.csv", currency=currency) == Reading("goods.csv", shelf, ())


@pytest.mark.skipif(not SAMPLES, reason="CARTWHEEL_SAMPLES names no folders of product files")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_real_file_is_read_whole_and_comes_back_the_same(path: Path) -> None:
    reading = read_products(path.read_bytes(), file=path.name, currency=CurrencyCode.USD)
    assert reading.problems == ()

    again = read_products(
        written(reading.products, currency=CurrencyCode.USD), file="", currency=CurrencyCode.USD
    )

    assert again == Reading("", reading.products, ())


@given(st.text(st.sampled_from('ab1-,,,"\n\r\\ >'), max_size=80), st.binary(max_size=3))
def test_whatever_stands_in_a_file_it_is_taken_or_refused(cells: str, noise: bytes) -> None:
    data = f"Handle,Title,Tags,Option1 Name,Option1 Value,Price,Image Src\n{cells}".encode() + noise

    reading = read_products(data, file="goods.csv", currency=CurrencyCode.CNY)

    assert not (reading.products and reading.problems)
    assert read(written(reading.products).decode()).products == reading.products

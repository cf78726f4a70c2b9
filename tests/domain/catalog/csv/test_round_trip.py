"""What is exported is read back, and any file is either read or refused."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.csv import ParsedFile, read_products
from domain.catalog.product import ProductDraft, clean_html
from models.money import CurrencyCode
from tests.domain.catalog.csv.product_files import HTML, SAMPLES, parse_text, product_drafts, write_csv


@given(HTML)
def test_cleaning_clean_html_changes_nothing(html: str) -> None:
    cleaned = clean_html(html)

    assert clean_html(cleaned) == cleaned
    assert not re.search(r"<[^<>]*(script|onerror|svg|style|math)", cleaned)


SLUG = st.text(string.ascii_lowercase + string.digits + "-_茶叶", min_size=1, max_size=12)
DRAFT_LISTS = st.lists(SLUG, max_size=4, unique=True).flatmap(
    lambda slugs: st.tuples(*map(product_drafts, slugs))
)


@given(DRAFT_LISTS, st.sampled_from(CurrencyCode))
def test_an_exported_file_is_read_back_without_loss(
    drafts: tuple[ProductDraft, ...], currency: CurrencyCode
) -> None:
    data = write_csv(drafts, currency=currency)

    assert read_products(data, file="products.csv", currency=currency) == ParsedFile(
        "products.csv", drafts, ()
    )


@pytest.mark.skipif(not SAMPLES, reason="CARTWHEEL_SAMPLES names no folders of product files")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_real_file_is_read_whole_and_comes_back_the_same(path: Path) -> None:
    parsed = read_products(path.read_bytes(), file=path.name, currency=CurrencyCode.USD)
    assert parsed.problems == ()

    again = read_products(
        write_csv(parsed.products, currency=CurrencyCode.USD), file="", currency=CurrencyCode.USD
    )

    assert again == ParsedFile("", parsed.products, ())


@given(st.text(st.sampled_from('ab1-,,,"\n\r\\ >'), max_size=80), st.binary(max_size=3))
def test_any_file_is_either_read_or_refused(cells: str, noise: bytes) -> None:
    data = f"Handle,Title,Tags,Option1 Name,Option1 Value,Price,Image Src\n{cells}".encode() + noise

    parsed = read_products(data, file="products.csv", currency=CurrencyCode.CNY)

    assert not (parsed.products and parsed.problems)
    assert parse_text(write_csv(parsed.products).decode()).products == parsed.products

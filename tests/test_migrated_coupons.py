"""The migration from coupons to promotions keeps every coupon and its uses."""

import json
from typing import Any

from alembic import command
from sqlalchemy import Connection, text

from migrations.runner import alembic_config, upgrade
from models.database import sqlite_file
from tests.test_migrations import ask, empty_url

__all__ = ["empty_url"]

ROWS = [
    "INSERT INTO accounts (id, role, name, email, password_hash, created_at)"
    " VALUES (1, 'CUSTOMER', 'Emma', 'emma@example.com', '', '2026-01-01 00:00:00')",
    "INSERT INTO coupons (id, code, title, type, percent, amount, minimum_amount, currency, used,"
    " usage_limit, translations) VALUES (7, 'SPRING', 'Spring', 'PERCENT', 10, NULL, 9900, 'CNY', 1,"
    " 5, '{}')",
    "INSERT INTO carts (id, account_id, status, currency, coupon_id, version, created_at, updated_at)"
    " VALUES (1, 1, 'ACTIVE', 'CNY', 7, 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
    "INSERT INTO products (id, slug, title, description, brand, product_type, status, tags, seo_title,"
    " seo_description, translations, columns, version, created_at, updated_at) VALUES (1, 'tea', 'Tea', '',"
    " '', '', 'ACTIVE', '[]', '', '', '{}', '{}', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
    "INSERT INTO variants (id, product_id, position, options, weight_grams, weight_unit, tracked,"
    " sells_when_out, requires_shipping, taxable, columns) VALUES (1, 1, 1, '[]', 0, 'g',"
    " {yes}, {no}, {yes}, {yes}, '{{}}')",
    "INSERT INTO orders (id, number, account_id, status, payment_status, fulfilment_status, currency,"
    " goods_amount, discount_amount, shipping_amount, total_amount, coupon_id, note, version, placed_at,"
    " cancelled_at) VALUES (1, 'O1', 1, 'CONFIRMED', 'PAID', 'UNFULFILLED', 'CNY', 9900, 990, 600, 9510, 7,"
    " '', 1, '2026-01-02 00:00:00', NULL), (2, 'O2', 1, 'CANCELLED', 'UNPAID', 'UNFULFILLED', 'CNY', 9900,"
    " 990,"
    " 600, 9510, 7, '', 1, '2026-01-02 00:00:00', '2026-01-03 00:00:00')",
    "INSERT INTO order_lines (id, order_id, position, product_id, variant_id, title, options, weight_grams,"
    " currency, unit_amount, quantity, discount_amount) VALUES (1, 1, 1, 1, 1, 'Tea', '[]', 0, 'CNY', 9900,"
    " 1, 990), (2, 2, 1, 1, 1, 'Tea', '[]', 0, 'CNY', 9900, 1, 990)",
    "INSERT INTO deliveries (id, order_id, position, method, currency, fee_amount, recipient, phone,"
    " country_code, province, city, district, line1, line2, postal_code) VALUES (1, 1, 1, 'STANDARD', 'CNY',"
    " 600, 'Emma', '+8613800138000', 'CN', '', '', '', '', '', '')",
]


def insert_rows(connection: Connection) -> None:
    yes, no = ("TRUE", "FALSE") if connection.dialect.name == "postgresql" else ("1", "0")
    for row in ROWS:
        connection.exec_driver_sql(row.format(yes=yes, no=no) if "{yes}" in row else row)
    connection.commit()


def select_rows(statement: str) -> Any:
    def select(connection: Connection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.execute(text(statement))]

    return select


def parse_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def test_coupons_become_promotions_and_keep_their_uses(empty_url: str) -> None:
    if file := sqlite_file(empty_url):
        file.parent.mkdir(parents=True)
    command.upgrade(alembic_config(empty_url), "0001")
    ask(empty_url, insert_rows)

    upgrade(empty_url)

    [promotion] = ask(
        empty_url,
        select_rows("SELECT id, code, kind, percent, minimum_amount, used, usage_limit FROM promotions"),
    )
    assert promotion == (7, "SPRING", "PERCENT", 10, 9900, 1, 5)
    [(codes,)] = ask(empty_url, select_rows("SELECT coupon_codes FROM carts"))
    assert parse_json(codes) == ["SPRING"]
    uses = (
        "SELECT order_id, promotion_id, code, amount, released_at IS NOT NULL"
        " FROM promotion_uses ORDER BY order_id"
    )
    assert ask(empty_url, select_rows(uses)) == [(1, 7, "SPRING", 990, False), (2, 7, "SPRING", 990, True)]
    lines = ask(empty_url, select_rows("SELECT discounts FROM order_lines ORDER BY id"))
    assert [parse_json(parts) for (parts,) in lines] == [[{"promotion_id": 7, "amount": 990}]] * 2
    assert ask(empty_url, select_rows("SELECT fee_amount, discount_amount FROM deliveries")) == [(600, 0)]

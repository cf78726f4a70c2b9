"""Products say in one short text what customers can choose them by.

Revision ID: 0015
Revises: 0014
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from models import base

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Said = sa.Row[*tuple[Any, ...]]

BETWEEN = "\x1f"
PRODUCTS = 1_000

SAID = sa.text(
    """
    SELECT said.product_id, said.attribute_id, said.value_id, said.number, said.boolean, said.text, said.date
    FROM product_attributes said JOIN attributes ON attributes.id = said.attribute_id
    WHERE attributes.filterable AND said.product_id >= :first AND said.product_id < :beyond
    ORDER BY said.product_id, attributes.code, said.position
    """
).columns(number=sa.Numeric(20, 6), boolean=sa.Boolean(), date=sa.Date())


def upgrade() -> None:
    made = op.create_table(
        "product_choices",
        sa.Column("product_id", base.BigId, nullable=False),
        sa.Column("choices", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_choices_product_id")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_product_choices")),
    )
    last = op.get_bind().scalar(sa.text("SELECT max(id) FROM products")) or 0
    for first in range(0, last + 1, PRODUCTS):
        said = op.get_bind().execute(SAID, {"first": first, "beyond": first + PRODUCTS}).all()
        op.bulk_insert(made, [chosen(*each) for each in groupby(said, key=lambda row: row.product_id)])


def chosen(product_id: int, said: Iterable[Said]) -> dict[str, object]:
    choices = BETWEEN.join(f"{row.attribute_id}:{spelled(row)}" for row in said)
    return {"product_id": product_id, "choices": choices}


def spelled(row: Said) -> str:
    if row.value_id is not None:
        return str(row.value_id)
    if row.number is not None:
        text = f"{row.number:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if row.boolean is not None:
        return "true" if row.boolean else "false"
    return row.date.isoformat() if row.date is not None else str(row.text)


def downgrade() -> None:
    op.drop_table("product_choices")

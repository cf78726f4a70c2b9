"""The search for customers reads indexes, however many there are."""

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from loaders.customer import CustomerCriteria, select_customers

INDEXES = [
    (CustomerCriteria(name="mei"), ["ix_accounts_name_begins", "ix_accounts_last_word"]),
    (CustomerCriteria(name="晓雨"), ["ix_accounts_given_name"]),
    (CustomerCriteria(email="mei@example.com"), ["uq_accounts_email", "ix_guest_accounts_email"]),
    (
        CustomerCriteria(phone="5678"),
        [
            "ix_accounts_phone_tail",
            "ix_guest_accounts_phone_tail",
            "ix_addresses_phone_tail",
            "ix_deliveries_phone_tail",
        ],
    ),
    (CustomerCriteria(postal_code="310012"), ["ix_addresses_postal_code", "ix_deliveries_postal_code"]),
    (CustomerCriteria(number="O2603"), ["ix_orders_number_begins"]),
]


@pytest.mark.parametrize(("criteria", "indexes"), INDEXES)
async def test_each_way_to_find_a_customer_has_its_indexes(
    session: AsyncSession, criteria: CustomerCriteria, indexes: list[str]
) -> None:
    if session.get_bind().dialect.name == "sqlite":
        return
    compiled = select_customers(criteria).compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
    )
    # where statistics say that a table is empty, all plans cost the same: this has them forgotten
    await session.execute(text("TRUNCATE accounts, guest_accounts, addresses, deliveries, orders CASCADE"))
    # tables of a test are so small that they would be read whole
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    lines = (await session.scalars(text(f"EXPLAIN {compiled}".replace(":", "\\:")))).all()

    plan = "\n".join(lines)
    assert [name for name in indexes if name not in plan] == []
    assert "Seq Scan on deliveries" not in plan
    await session.rollback()

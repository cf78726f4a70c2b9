"""Stock for buyers and clerks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFUSAL = "stock movements are never edited, never deleted"


def append_only(dialect: str) -> list[str]:
    if dialect == "postgresql":
        return [
            "CREATE OR REPLACE FUNCTION stock_movements_stay() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
            "CREATE TRIGGER stock_movements_stay BEFORE UPDATE OR DELETE ON stock_movements"
            " FOR EACH ROW EXECUTE FUNCTION stock_movements_stay()",
        ]
    return [
        f"CREATE TRIGGER stock_movements_no_{act.lower()} BEFORE {act} ON stock_movements"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for act in ("UPDATE", "DELETE")
    ]


def upgrade() -> None:
    op.add_column("warehouses", sa.Column("active", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("variants", sa.Column("low_stock_at", sa.Integer(), nullable=True))
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])
    op.create_index("ix_stock_movements_warehouse_id_id", "stock_movements", ["warehouse_id", "id"])
    for statement in append_only(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION stock_movements_stay() CASCADE")
    else:
        for act in ("update", "delete"):
            op.execute(f"DROP TRIGGER stock_movements_no_{act}")
    op.drop_index("ix_stock_movements_warehouse_id_id", "stock_movements")
    op.drop_index("ix_orders_placed_at", "orders")
    op.drop_column("variants", "low_stock_at")
    op.drop_column("warehouses", "active")

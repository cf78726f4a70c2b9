"""Reading registered operations."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models import RegisteredOperation
from models.database import Reads


async def load_registered_text(reads: Reads, sha256: str) -> str | None:
    """Return the document that is registered with this hash, if there is one."""
    async with reads() as session:
        text: str | None = await session.scalar(
            select(RegisteredOperation.text).where(RegisteredOperation.sha256 == sha256)
        )
        return text


async def list_registered(session: AsyncSession) -> Sequence[RegisteredOperation]:
    """Return all registered operations by name, the latest version of each last."""
    rows = select(RegisteredOperation).order_by(RegisteredOperation.name, RegisteredOperation.registered_at)
    return (await session.scalars(rows)).all()

"""Creating a staff account on the command line."""

from dataclasses import dataclass

from rich.console import Console

from domain.account import create_staff, validate_password
from domain.errors import DomainError
from events.shop import Shop
from models.account import Role


@dataclass(frozen=True, slots=True)
class NewStaff:
    """Whom to create an account for."""

    email: str
    role: Role
    name: str
    password: str


async def create_staff_account(shop: Shop, new: NewStaff, console: Console) -> int:
    """Create the account; the exit code is 2 where it is refused."""
    try:
        password_hash = await shop.secrets.hash_password(validate_password(new.password))
        async with shop.database.writes.begin() as session:
            await create_staff(
                session,
                role=new.role,
                email=new.email,
                phone=None,
                name=new.name,
                password_hash=password_hash,
                now=shop.clock(),
            )
    except DomainError as refused:
        console.print(str(refused), highlight=False)
        return 2
    console.print(f"{new.email} is {new.role.value} now.", highlight=False)
    return 0

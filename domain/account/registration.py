"""New accounts: of customers and of the staff."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.contact import normalize_email, normalize_name, normalize_phone
from domain.errors import Invalid, Taken, collect_refusals
from models import STAFF, Account, Role
from models.sql.upsert import upsert_into

PASSWORD_MIN_LENGTH = 8
PASSWORD_MAX_LENGTH = 128


def validate_password(password: str, *, field: str = "password") -> str:
    """The password; Invalid when it is too short or too long."""
    if not PASSWORD_MIN_LENGTH <= len(password) <= PASSWORD_MAX_LENGTH:
        raise Invalid(
            "A password has {least} to {limit} characters.",
            least=PASSWORD_MIN_LENGTH,
            limit=PASSWORD_MAX_LENGTH,
            field=(field,),
        )
    return password


async def register_account(
    session: AsyncSession,
    *,
    email: str | None,
    phone: str | None,
    name: str,
    password_hash: str,
    now: datetime,
    language: str | None = None,
    role: Role = Role.CUSTOMER,
) -> Account:
    """Create an account with an e-mail address, a phone number or both; Taken when another one has it."""
    with collect_refusals() as check:
        normalized_name = check.value(normalize_name, "", name)
        if not (email or phone):
            check.add(Invalid("Give an e-mail address or a phone number.", field=("email",)))
        contacts = {
            "email": check.value(normalize_email, None, email) if email else None,
            "phone": check.value(normalize_phone, None, phone) if phone else None,
        }
    account = await session.scalar(
        upsert_into(session, Account)
        .values(
            role=role,
            name=normalized_name,
            password_hash=password_hash,
            language=language,
            created_at=now,
            **contacts,
        )
        .on_conflict_do_nothing()
        .returning(Account)
    )
    if account is None:
        raise await taken_error(session, contacts["email"])
    return account  # type: ignore[no-any-return]


async def create_staff(
    session: AsyncSession,
    *,
    role: Role,
    email: str | None,
    phone: str | None,
    name: str,
    password_hash: str,
    now: datetime,
) -> Account:
    """Create an account of the staff; Invalid for a role that is not one of theirs."""
    return await register_account(
        session,
        email=email,
        phone=phone,
        name=name,
        password_hash=password_hash,
        now=now,
        role=check_staff_role(role),
    )


def check_staff_role(role: Role) -> Role:
    """The role; Invalid when it is not one of the staff."""
    if role not in STAFF:
        raise Invalid("{role} is not a role of the staff.", role=role.value, field=("role",))
    return role


async def taken_error(session: AsyncSession, email: str | None) -> Taken:
    """Whether the e-mail address or the phone number is taken, as an error to raise."""
    if email and await session.scalar(select(func.count()).where(Account.email == email)):
        return Taken("Somebody has registered with this e-mail address already.", field=("email",))
    return Taken("Somebody has registered with this phone number already.", field=("phone",))

"""Settling what the payers of the sandbox provider have delayed."""

from domain.payment.due import due_sandbox_charges
from events.types import Resources, Timer
from models import PaymentMethod


async def settle_sandbox_charge(resources: Resources, reference: str) -> None:
    if resources.sandbox is not None:
        await resources.sandbox.settle_due(reference)


DELAYED_SANDBOX_CHARGES = Timer(
    "sandbox.delayed",
    due=due_sandbox_charges,
    act=settle_sandbox_charge,
    partner=PaymentMethod.SANDBOX.value,
)

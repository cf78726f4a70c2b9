"""Who may what. Nothing in the schema is open unless it says so."""

from models import STAFF as STAFF_ROLES
from models import Role

Allow = frozenset[Role]

ANYONE: Allow = frozenset(Role)
SIGNED_IN: Allow = ANYONE - {Role.GUEST}
SHOPPERS: Allow = frozenset({Role.GUEST, Role.CUSTOMER})
CUSTOMERS: Allow = frozenset({Role.CUSTOMER})
STAFF: Allow = frozenset(STAFF_ROLES)
BOSSES: Allow = frozenset({Role.MANAGER, Role.ADMIN})
CATALOGUE: Allow = BOSSES | {Role.CATALOGUE}
WAREHOUSE: Allow = BOSSES | {Role.WAREHOUSE}
DELIVERY: Allow = WAREHOUSE | {Role.COURIER}
SUPPORT: Allow = BOSSES | {Role.SUPPORT}
CARERS: Allow = CUSTOMERS | SUPPORT
"""Those on either side of a ticket."""

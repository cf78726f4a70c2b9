"""Refusing what a viewer may not do; which role may what stands in models/permissions.py."""

from domain.errors import Forbidden, Unauthenticated
from models import Permission, Role, is_granted

__all__ = ["Permission", "require_permission"]


def require_permission(permission: Permission, role: Role) -> None:
    """Raises Forbidden, or Unauthenticated for guests, unless the role has the permission."""
    if not is_granted(permission, role):
        raise Unauthenticated if role is Role.GUEST else Forbidden

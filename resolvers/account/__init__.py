"""Resolvers of accounts, sign-ins and address books."""

from resolvers.account.address import address_remove, address_save, addresses, find_address
from resolvers.account.contact import email, find_account, may_see_contact, phone, viewer
from resolvers.account.session import (
    SignInResult,
    account_register,
    find_sign_in,
    is_current,
    other_sign_ins_end,
    session_create,
    session_refresh,
    session_revoke,
    sign_in_end,
    sign_ins,
)
from resolvers.account.staff import account_disable, account_enable, staff_create, staff_role_change

__all__ = [
    "SignInResult",
    "account_disable",
    "account_enable",
    "account_register",
    "address_remove",
    "address_save",
    "addresses",
    "email",
    "find_account",
    "find_address",
    "find_sign_in",
    "is_current",
    "may_see_contact",
    "other_sign_ins_end",
    "phone",
    "session_create",
    "session_refresh",
    "session_revoke",
    "sign_in_end",
    "sign_ins",
    "staff_create",
    "staff_role_change",
    "viewer",
]

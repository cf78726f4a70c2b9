"""Resolvers of accounts, sign-ins and address books."""

from resolvers.account.address import address_remove, address_save, addresses, find_address
from resolvers.account.contact import email, find_account, may_see_contact, phone, viewer
from resolvers.account.owner import (
    account_update,
    contact_change,
    contact_verify,
    password_change,
    password_reset,
    password_reset_start,
)
from resolvers.account.session import (
    SignInResult,
    account_register,
    device_token_register,
    device_token_remove,
    find_sign_in,
    gets_push_notices,
    is_current,
    other_sign_ins_end,
    registration_confirm,
    session_create,
    session_refresh,
    session_revoke,
    sign_in_end,
    sign_ins,
)
from resolvers.account.staff import account_disable, account_enable, staff_create, staff_role_change
from resolvers.account.verification import StartedVerification

__all__ = [
    "SignInResult",
    "StartedVerification",
    "account_disable",
    "account_enable",
    "account_register",
    "account_update",
    "address_remove",
    "address_save",
    "addresses",
    "contact_change",
    "contact_verify",
    "device_token_register",
    "device_token_remove",
    "email",
    "find_account",
    "find_address",
    "find_sign_in",
    "gets_push_notices",
    "is_current",
    "may_see_contact",
    "other_sign_ins_end",
    "password_change",
    "password_reset",
    "password_reset_start",
    "phone",
    "registration_confirm",
    "session_create",
    "session_refresh",
    "session_revoke",
    "sign_in_end",
    "sign_ins",
    "staff_create",
    "staff_role_change",
    "viewer",
]

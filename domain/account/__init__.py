"""Accounts: registration, sign-ins and their sessions, access."""

from domain.account.access import (
    change_staff_role,
    disable_account,
    enable_account,
    end_other_sign_ins,
    end_sign_in,
    lock_account,
)
from domain.account.refusals import SignedOut, WrongCredentials
from domain.account.registration import create_staff, register_account, validate_password
from domain.account.sessions import (
    RIGHTS_CHANGED,
    SignInPlace,
    end_sign_ins,
    open_session,
    revoke_session,
    rotate_session,
)
from domain.account.sign_in import ATTEMPTS_LIMIT, ATTEMPTS_WINDOW, begin_sign_in, complete_sign_in

__all__ = [
    "ATTEMPTS_LIMIT",
    "ATTEMPTS_WINDOW",
    "RIGHTS_CHANGED",
    "SignInPlace",
    "SignedOut",
    "WrongCredentials",
    "begin_sign_in",
    "change_staff_role",
    "complete_sign_in",
    "create_staff",
    "disable_account",
    "enable_account",
    "end_other_sign_ins",
    "end_sign_in",
    "end_sign_ins",
    "lock_account",
    "open_session",
    "register_account",
    "revoke_session",
    "rotate_session",
    "validate_password",
]

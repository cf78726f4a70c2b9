"""Accounts: registration, sign-ins and their sessions, what their owners change, access."""

from domain.account.access import (
    change_staff_role,
    disable_account,
    enable_account,
    end_other_sign_ins,
    end_sign_in,
    lock_account,
)
from domain.account.attempts import clear_attempts, count_attempt
from domain.account.owner import (
    attempts_key,
    change_contact,
    change_password,
    register_verified_account,
    reset_password,
    update_account,
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
from domain.account.sign_in import begin_sign_in, complete_sign_in, find_account_by_contact
from domain.account.verification import (
    VerificationDraft,
    WrongCode,
    check_contact,
    start_verification,
    use_code,
)

__all__ = [
    "RIGHTS_CHANGED",
    "SignInPlace",
    "SignedOut",
    "VerificationDraft",
    "WrongCode",
    "WrongCredentials",
    "attempts_key",
    "begin_sign_in",
    "change_contact",
    "change_password",
    "change_staff_role",
    "check_contact",
    "clear_attempts",
    "complete_sign_in",
    "count_attempt",
    "create_staff",
    "disable_account",
    "enable_account",
    "end_other_sign_ins",
    "end_sign_in",
    "end_sign_ins",
    "find_account_by_contact",
    "lock_account",
    "open_session",
    "register_account",
    "register_verified_account",
    "reset_password",
    "revoke_session",
    "rotate_session",
    "start_verification",
    "update_account",
    "use_code",
    "validate_password",
]

"""Personal data of an account: all of it exported, and all of it erased."""

from domain.personal_data.erasure import (
    erase_account,
    erase_staff,
    request_erasure,
    select_due_erasures,
)
from domain.personal_data.export import ExportedRows, export_account
from domain.personal_data.pictures import (
    delete_erased_picture,
    find_erased_file,
    select_erased_pictures,
)
from domain.personal_data.readings import ReadFields, record_readings

__all__ = [
    "ExportedRows",
    "ReadFields",
    "delete_erased_picture",
    "erase_account",
    "erase_staff",
    "export_account",
    "find_erased_file",
    "record_readings",
    "request_erasure",
    "select_due_erasures",
    "select_erased_pictures",
]

"""The shipping zones and rates that a migration adds to every shop."""

from importlib import import_module

from sqlalchemy import Connection


def first_tariff(connection: Connection) -> None:
    import_module("migrations.versions.0010_clerks_keep_what_sending_costs").first_tariff(connection)

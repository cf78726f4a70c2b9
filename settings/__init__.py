"""Every setting, in groups by concern: the only reader of the environment and of `.env`."""

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from settings.accounts import AccountSettings
from settings.aftersales import AftersalesSettings
from settings.alipay import AlipaySettings
from settings.amap import AmapSettings
from settings.archive import ArchiveSettings
from settings.business import (
    CarrierSettings,
    CatalogSettings,
    CheckoutSettings,
    DeadlineSettings,
    JobSettings,
    LocaleSettings,
    PackingSettings,
    PaymentDeadlineSettings,
    PaymentSettings,
    SubscriptionSettings,
)
from settings.card import CardSettings
from settings.connections import ConnectionSettings
from settings.cors import CorsSettings
from settings.costs import CostSettings
from settings.exposure import ExposureSettings
from settings.graphql import GraphQLSettings
from settings.group import SettingsGroup
from settings.karrio import KarrioSettings
from settings.kuaidi100 import Kuaidi100Settings
from settings.monitoring import MonitoringSettings
from settings.names import MistypedName, find_mistyped, unknown_in_file
from settings.notices import NoticeSettings
from settings.operations import OperationSettings
from settings.proxies import ProxySettings
from settings.rates import RateSettings
from settings.refund_bonus import RefundBonusSettings
from settings.returns import ReturnSettings
from settings.routing import RoutingSettings
from settings.search import SearchSettings
from settings.sf_express import SfExpressSettings
from settings.system import (
    CachingSettings,
    DatabaseSettings,
    DeploymentSettings,
    LimitSettings,
    LogFormat,
    LogSettings,
    MediaSettings,
    RedisSettings,
    ServerSettings,
    TokenSettings,
)
from settings.wechat_pay import WeChatPaySettings

__all__ = [
    "DatabaseSettings",
    "MistypedName",
    "Settings",
    "Variable",
    "WrongSetting",
    "list_variables",
    "mistyped_variables",
]


class WrongSetting(Exception):
    """One or more settings are not valid; the message names the environment variable of each."""


class Settings(BaseModel):
    """All settings. Durations are given in seconds or by ISO 8601 ("PT30M")."""

    model_config = ConfigDict(frozen=True)

    deployment: DeploymentSettings
    server: ServerSettings
    proxies: ProxySettings
    exposure: ExposureSettings
    cors: CorsSettings
    connections: ConnectionSettings
    rates: RateSettings
    database: DatabaseSettings
    redis: RedisSettings
    tokens: TokenSettings
    accounts: AccountSettings
    notices: NoticeSettings
    media: MediaSettings
    logs: LogSettings
    monitoring: MonitoringSettings
    limits: LimitSettings
    operations: OperationSettings
    costs: CostSettings
    caching: CachingSettings
    locale: LocaleSettings
    catalog: CatalogSettings
    search: SearchSettings
    deadlines: DeadlineSettings
    payments: PaymentSettings
    payment_deadlines: PaymentDeadlineSettings
    refund_bonus: RefundBonusSettings
    returns: ReturnSettings
    alipay: AlipaySettings
    card: CardSettings
    wechat_pay: WeChatPaySettings
    amap: AmapSettings
    carriers: CarrierSettings
    kuaidi100: Kuaidi100Settings
    sf_express: SfExpressSettings
    routing: RoutingSettings
    karrio: KarrioSettings
    packing: PackingSettings
    aftersales: AftersalesSettings
    checkout: CheckoutSettings
    subscriptions: SubscriptionSettings
    graphql: GraphQLSettings
    jobs: JobSettings
    archive: ArchiveSettings

    @classmethod
    def from_environment(cls, *, env_file: str | None = ".env", **overrides: object) -> Self:
        """Read the settings from the environment and a file.

        `overrides`, by the names of environment variables in lower case, take precedence. WrongSetting names
        each variable that is wrong.
        """
        groups: dict[str, SettingsGroup] = {}
        problems: list[str] = []
        for name, group in _groups().items():
            try:
                groups[name] = group.read(env_file, overrides)
            except ValidationError as error:
                problems += _describe_problems(error)
        if unknown := overrides.keys() - {variable.name.lower() for variable in list_variables()}:
            raise TypeError(f"there is no setting {', '.join(sorted(unknown))}")
        if env_file:
            problems += unknown_in_file(env_file, {variable.name for variable in list_variables()})
        if problems:
            raise WrongSetting("\n".join(problems))
        try:
            return cls.model_validate(groups)
        except ValidationError as error:
            raise WrongSetting("\n".join(_describe_problems(error))) from None

    @model_validator(mode="after")
    def _require_secret(self) -> Self:
        if self.deployment.is_production and not self.tokens.secret_key.get_secret_value():
            raise ValueError("SECRET_KEY is required in production")
        return self

    @property
    def offers_sandbox(self) -> bool:
        offer = self.payments.offer_sandbox
        return not self.deployment.is_production if offer is None else offer

    @property
    def shows_schema(self) -> bool:
        show = self.exposure.show_schema
        return not self.deployment.is_production if show is None else show

    @property
    def logs_json(self) -> bool:
        default = LogFormat.JSON if self.deployment.is_production else LogFormat.CONSOLE
        return (self.logs.format or default) is LogFormat.JSON

    @property
    def media_dir(self) -> Path:
        return self.deployment.var_dir / "media"

    @property
    def search_dir(self) -> Path | None:
        """The folder of search indexes; None where they are kept in memory."""
        return None if self.search.in_memory else self.deployment.var_dir / "search"

    def signing_key(self) -> str:
        """Return SECRET_KEY, or in development a random key that is kept in VAR_DIR."""
        return self._signing_key

    def verifying_keys(self) -> list[str]:
        """Return the keys whose signatures are valid: the signing key first, then OLD_SECRET_KEY if any."""
        keys = (self.signing_key(), self.tokens.old_secret_key.get_secret_value())
        return [key for key in keys if key]

    @cached_property
    def _signing_key(self) -> str:
        if key := self.tokens.secret_key.get_secret_value():
            return key
        file = self.deployment.var_dir / "secret_key"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(48))
        return file.read_text()

    def with_port(self, port: int) -> Self:
        """Return the same settings with another PORT."""
        return self.model_copy(update={"server": self.server.model_copy(update={"port": port})})


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that sets something."""

    name: str
    description: str
    default: object


def list_variables() -> Iterator[Variable]:
    """Yield every variable, by group."""
    for group in _groups().values():
        for field in group.model_fields.values():
            yield Variable(str(field.validation_alias), field.description or "", field.get_default())


def mistyped_variables() -> Sequence[MistypedName]:
    """The variables of the environment that are no settings, but nearly named like one."""
    return list(find_mistyped(os.environ, {variable.name for variable in list_variables()}))


def _groups() -> dict[str, type[SettingsGroup]]:
    """Return the classes of the groups, by their names in Settings."""
    annotations = {name: field.annotation for name, field in Settings.model_fields.items()}
    return {
        name: group
        for name, group in annotations.items()
        if isinstance(group, type) and issubclass(group, SettingsGroup)
    }


def _describe_problems(error: ValidationError) -> list[str]:
    """Return one line for each problem: the variable and what is wrong."""
    return [_describe_problem(problem["loc"], problem["msg"]) for problem in error.errors()]


def _describe_problem(location: tuple[int | str, ...], message: str) -> str:
    reason = message.removeprefix("Value error, ")
    return f"{location[0]}: {reason}" if location else reason

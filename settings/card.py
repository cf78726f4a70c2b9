"""Settings of payments by card, which Stripe takes."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from settings.group import SettingsGroup

STRIPE_ADDRESS = "https://api.stripe.com"


class CardSettings(SettingsGroup):
    """The keys of one Stripe account; without one of the three cards are not offered."""

    secret_key: SecretStr = Field(
        SecretStr(""), validation_alias="STRIPE_SECRET_KEY", description="secret or restricted key of Stripe"
    )
    publishable_key: str = Field(
        "",
        pattern=r"^(pk_(test|live)_\w+)?$",
        validation_alias="STRIPE_PUBLISHABLE_KEY",
        description="publishable key of the same account, which pages of the shop get",
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias="STRIPE_WEBHOOK_SECRET",
        description="signing secret of the webhook endpoint, whsec_ and more",
    )
    old_webhook_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias="STRIPE_OLD_WEBHOOK_SECRET",
        description="the signing secret before it was rolled; notices signed by it are still taken",
    )
    account: str = Field(
        "",
        pattern=r"^(acct_\w+)?$",
        validation_alias="STRIPE_ACCOUNT",
        description="the connected account that is paid, where the key is that of a platform",
    )
    address: str = Field(
        STRIPE_ADDRESS,
        pattern=r"^https?://[^/]+$",
        validation_alias="STRIPE_ADDRESS",
        description="where Stripe's API is",
    )

    @property
    def is_live(self) -> bool:
        """Whether the keys take real money."""
        return self.secret_key.get_secret_value()[2:].startswith("_live_")

    @property
    def missing(self) -> list[str]:
        """The variables that are needed and not set."""
        values = {
            "STRIPE_SECRET_KEY": self.secret_key.get_secret_value(),
            "STRIPE_PUBLISHABLE_KEY": self.publishable_key,
            "STRIPE_WEBHOOK_SECRET": self.webhook_secret.get_secret_value(),
        }
        return [name for name, value in values.items() if not value]

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        key = self.secret_key.get_secret_value()
        if key and not key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
            raise ValueError("STRIPE_SECRET_KEY must begin with sk_test_, sk_live_, rk_test_ or rk_live_")
        if key and self.publishable_key and self.publishable_key.startswith("pk_live_") is not self.is_live:
            raise ValueError("STRIPE_PUBLISHABLE_KEY must be of the same mode as STRIPE_SECRET_KEY")
        for name, secret in (
            ("STRIPE_WEBHOOK_SECRET", self.webhook_secret),
            ("STRIPE_OLD_WEBHOOK_SECRET", self.old_webhook_secret),
        ):
            value = secret.get_secret_value()
            if value and not (value.startswith("whsec_") and len(value) >= 16):
                raise ValueError(f"{name} must be whsec_ and at least ten characters more")
        return self

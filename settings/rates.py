"""How often something may be done from one address, or by one account."""

from pydantic import Field

from settings.group import SettingsGroup


class RateSettings(SettingsGroup):
    """Each is a bucket that holds so many and refills in the time that its name says."""

    requests: int = Field(
        6_000,
        ge=1,
        validation_alias="REQUESTS_PER_MINUTE",
        description="HTTP requests and WebSocket handshakes of an address, for each process",
    )
    sign_ins: int = Field(
        60,
        ge=1,
        validation_alias="SIGN_INS_PER_MINUTE",
        description="sign-ins from an address, whatever the accounts",
    )
    registrations: int = Field(
        60, ge=1, validation_alias="REGISTRATIONS_PER_HOUR", description="registrations from an address"
    )
    guest_carts: int = Field(
        600, ge=1, validation_alias="GUEST_CARTS_PER_HOUR", description="new carts of guests from an address"
    )
    guest_orders: int = Field(
        60, ge=1, validation_alias="GUEST_ORDERS_PER_HOUR", description="orders of guests from an address"
    )
    uploads: int = Field(
        60,
        ge=1,
        validation_alias="UPLOADS_PER_MINUTE",
        description="pictures of an account or from an address",
    )
    refused_webhooks: int = Field(
        60,
        ge=1,
        validation_alias="REFUSED_WEBHOOKS_PER_MINUTE",
        description="notifications with wrong signatures from an address; then none is read",
    )
    gift_cards: int = Field(
        20,
        ge=1,
        validation_alias="GIFT_CARDS_PER_HOUR",
        description="codes of gift cards that an account tries",
    )

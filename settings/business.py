"""Groups of settings for the business: deadlines, intervals and defaults."""

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, NonNegativeInt, field_validator

from models.language import LANGUAGE_TAG
from models.money import CurrencyCode
from models.payment import PaymentMethod
from settings.group import Duration, SettingsGroup
from text.messages import LANGUAGES


class LocaleSettings(SettingsGroup):
    """Defaults of language, currency and time zone."""

    default_currency: CurrencyCode = Field(
        CurrencyCode.CNY,
        validation_alias="DEFAULT_CURRENCY",
        description="currency where a client names none",
    )
    default_language: str = Field(
        "zh-CN", validation_alias="DEFAULT_LANGUAGE", description="language of texts that name none"
    )
    time_zone: str = Field(
        "Asia/Shanghai",
        validation_alias="TIME_ZONE",
        description="where the days of reports and of windows for claims begin and end",
    )

    @field_validator("default_language")
    @classmethod
    def _check_language(cls, tag: str) -> str:
        if not LANGUAGE_TAG.fullmatch(tag) or tag.partition("-")[0].lower() not in LANGUAGES:
            raise ValueError(
                f"must be a tag of a language the shop has: {', '.join(sorted(LANGUAGES))}, zh-CN"
            )
        return tag

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, KeyError, OSError):
            raise ValueError("is no time zone of the IANA database") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class CatalogSettings(SettingsGroup):
    low_stock_at: int = Field(
        5,
        ge=0,
        validation_alias="LOW_STOCK_AT",
        description="up to how many units stock counts as low, for variants without a threshold",
    )
    best_selling_window: Duration = Field(
        timedelta(days=30),
        validation_alias="BEST_SELLING_WINDOW",
        description="best sellers are those that sold most within this time",
    )
    pictures_checked_per_minute: int = Field(
        0,
        ge=0,
        le=600,
        validation_alias="PICTURES_CHECKED_PER_MINUTE",
        description="how many pictures of products are looked for in the background, to find those that"
        " cannot be reached; 0 looks for none",
    )
    pictures_checked_every: Duration = Field(
        timedelta(days=30),
        validation_alias="PICTURES_CHECKED_EVERY",
        description="how long after a check a picture that could be reached is checked again",
    )


class DeadlineSettings(SettingsGroup):
    """How long carts, orders and tickets wait before they change by themselves."""

    guest_cart_lifetime: Duration = Field(
        timedelta(days=30),
        validation_alias="GUEST_CART_LIVES",
        description="an untouched guest cart is deleted after this time",
    )
    unpaid_order_cancelled_after: Duration = Field(
        timedelta(minutes=30),
        validation_alias="UNPAID_ORDER_CLOSES_AFTER",
        description="an unpaid order is cancelled and its stock released",
    )
    flash_order_cancelled_after: Duration = Field(
        timedelta(minutes=10),
        validation_alias="FLASH_ORDER_CLOSES_AFTER",
        description="the same for orders with items of a flash sale",
    )
    receipt_confirmed_after: Duration = Field(
        timedelta(days=10),
        validation_alias="RECEIPT_CONFIRMED_AFTER",
        description="receipt is confirmed automatically, from delivery",
    )
    collected_within: Duration = Field(
        timedelta(days=7),
        validation_alias="COLLECTED_WITHIN",
        description="what is not collected goes back to stock, from when it is ready",
    )
    cash_handed_in_within: Duration = Field(
        timedelta(hours=24),
        validation_alias="CASH_HANDED_IN_WITHIN",
        description="cash that a courier has in hand for longer is a task of the staff",
    )
    delivery_promise: Duration = Field(
        timedelta(days=7),
        validation_alias="DELIVERY_PROMISE",
        description="when a parcel should arrive, from dispatch, where its carrier has not said it",
    )
    not_received_after: Duration = Field(
        timedelta(hours=24),
        validation_alias="NOT_RECEIVED_AFTER",
        description="a parcel can be reported as not received, from the time it should have arrived",
    )
    replacement_chosen_within: Duration = Field(
        timedelta(days=7),
        validation_alias="REPLACEMENT_CHOSEN_WITHIN",
        description="time to choose what to get in place of a replacement; then money is refunded",
    )
    difference_paid_within: Duration = Field(
        timedelta(days=3),
        validation_alias="DIFFERENCE_PAID_WITHIN",
        description="time to pay what a replacement costs more; then something else is chosen",
    )
    repaired_within: Duration = Field(
        timedelta(days=14),
        validation_alias="REPAIRED_WITHIN",
        description="time to repair what was sent in; then it is a task of the managers",
    )
    replacement_stock_within: Duration = Field(
        timedelta(days=30),
        validation_alias="REPLACEMENT_STOCK_WITHIN",
        description="time for a replacement to be in stock again; then money is refunded",
    )
    question_closed_after: Duration = Field(
        timedelta(days=7),
        validation_alias="QUESTION_CLOSED_AFTER",
        description="an answered question is closed unless the customer writes again",
    )
    ticket_agreed_after: Duration = Field(
        timedelta(days=2),
        validation_alias="TICKET_AGREED_AFTER",
        description="a rule may agree to an unanswered ticket, or it is a task of the managers",
    )
    rating_asked_after: Duration = Field(
        timedelta(days=1),
        validation_alias="RATING_ASKED_AFTER",
        description="customers are asked how a ticket went, from when it has ended",
    )
    rating_open_for: Duration = Field(
        timedelta(days=14),
        validation_alias="RATING_OPEN_FOR",
        description="time to rate a ticket, and to change the rating, from when the customer was asked",
    )
    return_shipped_within: Duration = Field(
        timedelta(days=7),
        validation_alias="RETURN_SHIPPED_WITHIN",
        description="time to ship a return; then the ticket is closed",
    )
    return_accepted_after: Duration = Field(
        timedelta(days=10),
        validation_alias="RETURN_ACCEPTED_AFTER",
        description="a return that was shipped is accepted automatically",
    )
    undelivered_ended_after: Duration = Field(
        timedelta(days=7),
        validation_alias="UNDELIVERED_ENDED_AFTER",
        description="a parcel that came back or was lost is ended automatically: its part is refunded",
    )
    tracking_links_end_after: Duration = Field(
        timedelta(days=14),
        validation_alias="TRACKING_LINKS_END_AFTER",
        description="a tracking link shows nothing any more, from when its parcel has arrived or ended",
    )


class JobSettings(SettingsGroup):
    """How often the work beside requests runs."""

    relay_interval: Duration = Field(
        timedelta(seconds=1),
        validation_alias="RELAY_PAUSE",
        description="how often the relay looks for events without a signal",
    )
    worker_niceness: int = Field(
        5,
        ge=0,
        le=19,
        validation_alias="WORKER_NICENESS",
        description="how far `cartwheel worker` lets processes that answer go first, as nice(1) counts it",
    )
    event_lease: Duration = Field(
        timedelta(seconds=30),
        validation_alias="EVENT_LEASE",
        description="another process takes over an event after this time",
    )
    scheduler_interval: Duration = Field(
        timedelta(seconds=5),
        validation_alias="TIMER_PAUSE",
        description="how often the scheduler looks for due rows",
    )
    view_count_interval: Duration = Field(
        timedelta(seconds=5),
        validation_alias="COUNT_EVERY",
        description="how often counted views are saved; a process that is killed loses those not saved yet",
    )
    sales_count_interval: Duration = Field(
        timedelta(minutes=10),
        validation_alias="SALES_COUNTED_EVERY",
        description="how often best sellers are counted",
    )


class SubscriptionSettings(SettingsGroup):
    signal_timeout: Duration = Field(
        timedelta(seconds=30),
        validation_alias="BELL_PAUSE",
        description="how often a subscription looks for events without a signal",
    )
    cart_interval: Duration = Field(
        timedelta(seconds=1),
        validation_alias="CART_LOOK_EVERY",
        description="how often at most a subscription to a cart is told of prices and stock",
    )


class PaymentSettings(SettingsGroup):
    offer_sandbox: bool | None = Field(
        None,
        validation_alias="SANDBOX_PAYMENTS",
        description="whether SANDBOX is offered; only in development when not set",
    )
    query_interval: Duration = Field(
        timedelta(minutes=1),
        validation_alias="PAYMENT_QUERY_EVERY",
        description="how often the provider is queried about an unsettled payment",
    )
    asked_after_end: Duration = Field(
        timedelta(minutes=15),
        validation_alias="PAYMENT_ASKED_AFTER_END",
        description="how long after its end a payment is still asked after: its money may arrive late",
    )
    refund_query_interval: Duration = Field(
        timedelta(minutes=1),
        validation_alias="REFUND_QUERY_EVERY",
        description="when a provider is asked about a refund it was sent; twice as long each further time",
    )
    refund_retry_after: Duration = Field(
        timedelta(minutes=5),
        validation_alias="REFUND_RETRY_AFTER",
        description="time until a failed refund is tried again",
    )
    refund_approval_limits: Mapping[CurrencyCode, NonNegativeInt] = Field(
        {},
        validation_alias="REFUND_APPROVAL_LIMITS",
        description="minor units by currency, as JSON: more is refunded of an order only when a second person"
        " approves",
    )
    payments_per_order: int = Field(
        30, ge=1, le=200, validation_alias="PAYMENTS_PER_ORDER", description="payments of one order"
    )


class PaymentDeadlineSettings(SettingsGroup):
    """How long an order may stay unpaid, by payment method; of several methods the shortest time counts."""

    alipay: Duration | None = Field(
        None,
        validation_alias="ALIPAY_ORDER_CLOSES_AFTER",
        description="UNPAID_ORDER_CLOSES_AFTER for orders with a payment by Alipay",
    )
    wechat_pay: Duration | None = Field(
        None,
        validation_alias="WECHAT_PAY_ORDER_CLOSES_AFTER",
        description="the same for WeChat Pay",
    )
    card: Duration | None = Field(
        None, validation_alias="CARD_ORDER_CLOSES_AFTER", description="the same for cards"
    )
    sandbox: Duration | None = Field(
        None, validation_alias="SANDBOX_ORDER_CLOSES_AFTER", description="the same for play money"
    )

    @property
    def by_method(self) -> Mapping[PaymentMethod, timedelta]:
        """The times that are set, by method."""
        times = {
            PaymentMethod.ALIPAY: self.alipay,
            PaymentMethod.WECHAT_PAY: self.wechat_pay,
            PaymentMethod.CARD: self.card,
            PaymentMethod.SANDBOX: self.sandbox,
        }
        return {method: time for method, time in times.items() if time is not None}


class CarrierSettings(SettingsGroup):
    poll_interval: Duration = Field(
        timedelta(seconds=10),
        validation_alias="CARRIER_POLL_EVERY",
        description="how often carriers are queried",
    )
    simulated_step: Duration = Field(
        timedelta(seconds=20),
        validation_alias="SIMULATED_CARRIER_STEP",
        description="time between two tracking events of the simulated carrier",
    )
    polls_per_day: int | None = Field(
        None,
        ge=1,
        validation_alias="CARRIER_POLLS_PER_DAY",
        description="questions about parcels to each carrier in a day (UTC); no limit when not set",
    )
    waiting_pushes: int = Field(
        100_000,
        ge=1,
        validation_alias="CARRIER_PUSHES_WAITING",
        description="pushes of carriers that may wait to be folded; further ones are to come again (503)",
    )


class PackingSettings(SettingsGroup):
    """Picking and packing in the warehouses."""

    wave_limit: int = Field(
        50,
        ge=1,
        le=500,
        validation_alias="WAVE_LIMIT",
        description="the most deliveries that one wave takes",
    )
    open_parcel_lifetime: Duration = Field(
        timedelta(hours=2),
        validation_alias="OPEN_PARCEL_LIVES",
        description="an open parcel into which nothing is scanned for so long is given up",
    )
    document_link_lifetime: Duration = Field(
        timedelta(minutes=15),
        validation_alias="DOCUMENT_LINK_LIVES",
        description="how long the address of a label, packing slip or pick list opens it",
    )


class CheckoutSettings(SettingsGroup):
    """The order queue of a process."""

    batch_limit: int = Field(
        50,
        ge=1,
        le=1_000,
        validation_alias="PLACING_GROUP_LIMIT",
        description="orders placed in one transaction when many arrive; 1 switches batches off",
    )
    lanes: int = Field(
        4,
        ge=1,
        le=100,
        validation_alias="PLACING_LANES",
        description="transactions that place orders at the same time, fewer than connections",
    )
    wait_limit: Duration = Field(
        timedelta(seconds=1.5),
        validation_alias="PLACING_WAIT_LIMIT",
        description="an order that would wait longer is refused as BUSY",
    )
    queue_limit: int = Field(
        1_000,
        ge=1,
        validation_alias="PLACING_LIMIT",
        description="orders that may wait in one lane",
    )
    sold_out_lifetime: Duration = Field(
        timedelta(seconds=0.5),
        validation_alias="SOLD_OUT_REMEMBERED",
        description="how long a sold-out variant is refused without another query",
    )

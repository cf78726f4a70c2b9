"""Everything one process of the shop has, made once in app.py."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from domain.aftersales.urgent_terms import KNOWN_TERMS_KEY, KnownUrgentTerms
from domain.order import OrderTerms
from domain.payment.approval_limit import APPROVAL_LIMITS, APPROVAL_LIMITS_KEY
from domain.place import GEOCODES_KEY
from domain.stock import FREED_VARIANTS
from events.bus import Bus
from events.cart import CartWatch
from events.checkout.order_queue import OrderQueue
from events.counters.questions import QuestionCounter
from events.counters.sales import SalesCounter
from events.counters.topics import TopicFinder
from events.counters.views import ViewCounter
from events.jobs.event_archiver import EventArchiver
from events.meaning import MeaningFollower
from events.quality import QualityAssessor
from events.search import IndexFollower
from events.session_rights import SessionRightsCache
from events.shipment.pushes import PushInbox
from events.slow_operations import SlowOperations
from events.subscriptions.coalescer import Coalescer
from events.subscriptions.feed import EventFeed
from events.subscriptions.flash_sale_watch import FlashSaleWatch
from events.subscriptions.product_watch import ProductWatch
from events.subscriptions.replay import EventReplay
from events.subscriptions.stock_watch import StockWatch
from events.subscriptions.work_feed import WorkFeed
from events.synonyms import SynonymFollower
from events.types import Clock
from gateways.buckets import Buckets
from gateways.calls import CallObserver
from gateways.carrier.protocol import CarrierGateway
from gateways.geocoder import Geocoder
from gateways.leases import Leases
from gateways.meaning import MeaningIndex
from gateways.media import MediaStore
from gateways.metrics import Metrics
from gateways.notice import NoticeGateway
from gateways.payment.provider import PaymentProvider
from gateways.payment.sandbox import SandboxProvider
from gateways.picture_memory import PictureMemory
from gateways.routing.matrix import Matrix, StraightLines
from gateways.routing.planner import ProcessPlanner, RoutePlanner
from gateways.search import SearchIndex
from gateways.secrets import Secrets
from gateways.tracing import Tracer
from loaders.search import ARTICLES, PRODUCTS
from models import CarrierConnection, NoticeChannel, PaymentMethod
from models.database import Database
from settings import Settings


@dataclass(slots=True)
class Shop:
    """The parts of the shop, for everything that answers a request or reacts to an event."""

    settings: Settings
    database: Database
    bus: Bus
    buckets: Buckets
    leases: Leases
    payments: Mapping[PaymentMethod, PaymentProvider]
    carriers: Mapping[CarrierConnection, CarrierGateway]
    media: MediaStore
    secrets: Secrets
    clock: Clock
    notices: Mapping[NoticeChannel, NoticeGateway]
    products: SearchIndex
    """The index that product_index keeps up to date."""
    articles: SearchIndex
    """The index that article_index keeps up to date."""
    meaning: MeaningIndex | None = None
    """What sentences of articles mean; None where the extra is not installed."""
    sandbox: SandboxProvider | None = None
    """The built-in provider, for its pay page; None where it is not offered."""
    picture_memory: PictureMemory = field(default_factory=PictureMemory)
    geocoder: Geocoder | None = None
    """Says where addresses are; None where none is connected."""
    matrix: Matrix = field(default_factory=StraightLines)
    planner: RoutePlanner = field(default_factory=ProcessPlanner)
    """Plans delivery runs, in processes of its own."""
    metrics: Metrics = field(default_factory=Metrics)
    tracer: Tracer | None = None
    on_commit: list[Callable[[], None]] = field(default_factory=list)
    """Called when a transaction has committed that may have recorded events."""
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Called at the end, beside those of the bus and the database."""

    coalescer: Coalescer = field(default_factory=Coalescer, init=False)
    order_queue: OrderQueue = field(init=False)
    order_terms: OrderTerms = field(init=False)
    push_inbox: PushInbox = field(init=False)
    replay: EventReplay = field(init=False)
    feed: EventFeed = field(init=False)
    work_feed: WorkFeed = field(init=False)
    stock_watch: StockWatch = field(init=False)
    cart_watch: CartWatch = field(init=False)
    product_watch: ProductWatch = field(init=False)
    quality: QualityAssessor = field(init=False)
    views: ViewCounter = field(init=False)
    questions: QuestionCounter = field(init=False)
    topics: TopicFinder = field(init=False)
    product_index: IndexFollower = field(init=False)
    article_index: IndexFollower = field(init=False)
    meaning_follower: MeaningFollower = field(init=False)
    synonyms: SynonymFollower = field(init=False)
    sales: SalesCounter = field(init=False)
    slow_operations: SlowOperations = field(init=False)
    calls: CallObserver = field(init=False)
    """Measures calls to partners."""
    archiver: EventArchiver = field(init=False)
    session_rights: SessionRightsCache = field(init=False)

    def __post_init__(self) -> None:
        settings, database, bus, clock = self.settings, self.database, self.bus, self.clock
        limits = {**APPROVAL_LIMITS, **settings.payments.refund_approval_limits}
        database.reads.configure(info={APPROVAL_LIMITS_KEY: limits})
        database.writes.configure(
            info={
                APPROVAL_LIMITS_KEY: limits,
                GEOCODES_KEY: self.geocoder is not None,
                KNOWN_TERMS_KEY: KnownUrgentTerms(),
            }
        )
        deadlines, subscriptions, jobs = settings.deadlines, settings.subscriptions, settings.jobs
        self.order_terms = OrderTerms(
            self.payment_methods,
            deadlines.unpaid_order_cancelled_after,
            deadlines.flash_order_cancelled_after,
            settings.payment_deadlines.by_method,
            settings.payments.payments_per_order,
        )
        self.calls = CallObserver(self.metrics, self.tracer)
        self.slow_operations = SlowOperations(database, settings.monitoring.slow_operation)
        self.order_queue = OrderQueue(
            database,
            clock,
            self.secrets.new_number,
            self.order_terms,
            settings.checkout,
            self.wake_relay,
            self.calls,
        )
        self.push_inbox = PushInbox(database, clock, settings.carriers)
        self.replay = EventReplay(database, bus, self.coalescer, subscriptions.signal_timeout)
        self.feed = EventFeed(database, bus, subscriptions.signal_timeout)
        self.work_feed = WorkFeed(database, bus, self.clock, subscriptions.signal_timeout)
        flash_sales = FlashSaleWatch(database, clock)
        self.stock_watch = StockWatch(database, bus, flash_sales, subscriptions.cart_interval)
        self.cart_watch = CartWatch(
            database, bus, clock, self.replay, self.coalescer, self.stock_watch, subscriptions
        )
        self.product_watch = ProductWatch(bus, clock, self.coalescer, self.stock_watch, subscriptions)
        self.quality = QualityAssessor(
            database, clock, self.media, settings.catalog.pictures_checked_per_minute > 0
        )
        search = settings.search
        self.product_index, self.article_index = (
            IndexFollower(
                database, index, source, search.followed_every, at_each_search=search.at_each_search
            )
            for index, source in ((self.products, PRODUCTS), (self.articles, ARTICLES))
        )
        self.meaning_follower = MeaningFollower(database, self.meaning, search.followed_every)
        self.synonyms = SynonymFollower(database, search.followed_every, at_each_search=search.at_each_search)
        self.views = ViewCounter(database, jobs.view_count_interval)
        self.topics = TopicFinder(
            database, clock, self.leases, self.article_index, self.synonyms, self.meaning
        )
        self.questions = QuestionCounter(database, lambda: self.today, jobs.view_count_interval)
        self.sales = SalesCounter(
            database, clock, settings.catalog.best_selling_window, jobs.sales_count_interval
        )
        archive = settings.archive
        self.archiver = EventArchiver(database, clock, archive.events_archived_after, archive.interval)

        self.session_rights = SessionRightsCache(
            database, bus, clock, settings.accounts, subscriptions.signal_timeout
        )

    @property
    def payment_methods(self) -> frozenset[PaymentMethod]:
        """The methods that orders can be paid with."""
        without_provider = [each for each in PaymentMethod if each.collected_offline or each.paid_when_placed]
        return frozenset({*self.payments, *without_provider})

    @property
    def today(self) -> date:
        """The day it is in the shop's time zone."""
        return self.clock().astimezone(self.settings.locale.zone).date()

    def after_commit(self, session: AsyncSession) -> None:
        """As `wake_relay`; and the units that the transaction has freed can be ordered again at once."""
        self.order_queue.sold_out.forget(session.info.pop(FREED_VARIANTS, ()))
        self.wake_relay()

    def wake_relay(self) -> None:
        """Call all of `on_commit`, so that the relay of this process looks for events at once."""
        for call in self.on_commit:
            call()

    async def close(self) -> None:
        """Close all connections to the outside."""
        for close in (*self.closers, self.leases.close, self.bus.close, self.database.close):
            await close()

"""Rows: tables, enums and constraints; and what loaders and domain share: the database, availability, SQL."""

from models.account import (
    POSTAL_FIELDS,
    STAFF,
    Account,
    Address,
    AddressColumns,
    GuestAccount,
    Role,
)
from models.aftersales import (
    RATED,
    RESOLVED,
    ReplacementChoice,
    ReturnCondition,
    ReturnInspection,
    Ticket,
    TicketChannel,
    TicketLine,
    TicketMedia,
    TicketMessage,
    TicketReason,
    TicketStatus,
    TicketType,
    TicketUnits,
)
from models.agreement_rule import (
    AgreementMoment,
    AgreementRule,
    AgreementStep,
    RuleDecision,
    RuleObstacle,
    select_rules_now,
)
from models.analytics import ProductDay, ProductSales
from models.availability import (
    available_units,
    in_active_warehouse,
    is_available,
    scanned_units,
    total_available,
    waiting_units,
)
from models.base import Base, HasCurrency, Translations
from models.carrier import (
    CARRIER_CODE_LENGTH,
    OWN_COURIERS,
    SIMULATED_CARRIER,
    Carrier,
    CarrierCode,
    CarrierPolls,
)
from models.carrier_call import CarrierCall, CarrierCallKind, CarrierCallOutcome
from models.carrier_connection import CONNECTION_TERMS, CarrierConnection, ConnectionTerms
from models.carrier_rule import CarrierPreference, CarrierRule
from models.cart import Cart, CartLine, CartStatus, SavedLine
from models.cash import CashHandIn, CashRule, CourierCashMovement
from models.catalog import (
    CATEGORY_DEPTH_LIMIT,
    SOLD_STATUSES,
    Attribute,
    AttributeType,
    AttributeValue,
    Category,
    CategoryAttribute,
    CategorySlug,
    Media,
    PictureSize,
    Price,
    PriceChange,
    PriceChangeStatus,
    Product,
    ProductAttribute,
    ProductMedia,
    ProductSlug,
    ProductStatus,
    Variant,
    VariantSize,
)
from models.claim_policy import (
    ClaimExclusion,
    ClaimPolicy,
    ClaimTerms,
    category_scope,
    product_scope,
    select_exclusions,
    select_policies_at,
)
from models.delivery_run import (
    DeliveryProof,
    DeliveryRun,
    DeliveryRunStatus,
    DeliveryRunStop,
    DistanceSource,
    RouteSolver,
    StopOutcome,
    UnplannedReason,
)
from models.dispute import Dispute
from models.event import ArchivedEvent, Event, ReactionDone, Subject
from models.idempotency_key import IdempotencyKey
from models.incoming_push import IncomingPush
from models.knowledge import (
    Article,
    ArticleAudience,
    ArticleDay,
    ArticleRating,
    ArticleRead,
    ArticleStatus,
    ArticleVersion,
    QuestionTopic,
    SynonymGroup,
    UnansweredSearch,
)
from models.lane import LaneStatistic
from models.ledger import LedgerAccount, LedgerEntry, Posting, PostingKind
from models.money import MINOR_DIGITS, CurrencyCode, Money
from models.notice import Notice, NoticeChannel, NoticeKind, NoticeStatus
from models.order import (
    Delivery,
    DeliveryLine,
    FulfilmentStatus,
    Order,
    OrderDisplayStatus,
    OrderLine,
    OrderNote,
    OrderPaymentStatus,
    OrderStatus,
    sent_variant_id,
)
from models.order_edit import OrderEdit, OrderEditStatus, OrderEditUnits, OrderPromotionRules
from models.packing import (
    BoxType,
    OpenParcel,
    OpenParcelLine,
    OpenParcelStatus,
    UnpackedParcel,
    Wave,
    WaveDropReason,
    WavePart,
    WavePartStatus,
    WaveStatus,
    WaveUnits,
)
from models.payment import (
    OFFLINE_METHODS,
    ActionKind,
    Payment,
    PaymentAttempt,
    PaymentAttemptStatus,
    PaymentChannel,
    PaymentMethod,
    PaymentNotification,
    PaymentStatus,
    Refund,
    RefundStatus,
    RefundTarget,
    SandboxCharge,
    SandboxRefund,
)
from models.payment_reports import (
    AttemptReport,
    AttemptStatus,
    DisputeReport,
    DisputeStatus,
    RefundOutcome,
    RefundReport,
    StatementForm,
    StatementKind,
    StatementLine,
)
from models.permissions import ENROLMENT, GRANTS, Permission, is_granted
from models.pickup import Pickup, PickupStatus
from models.picture import PictureFault
from models.place import CoordinateSource, DeliveryWindow, PlaceColumns
from models.promotion import Promotion, PromotionBuyer, PromotionKind, PromotionScopeKind, PromotionUse
from models.provider_call import ProviderCall, ProviderCallKind, ProviderCallOutcome
from models.reading import Reading
from models.registered_operation import RegisteredOperation
from models.return_collection import ReturnCollection
from models.return_parcel import ReturnEvent, ReturnParcel, ReturnTask
from models.search import IndexChange, IndexSubject
from models.shipment import (
    ArrivalEstimate,
    ParcelSize,
    Position,
    ReportedEvent,
    Shipment,
    ShipmentEnding,
    ShipmentLine,
    ShipmentStatus,
    TrackingEvent,
)
from models.shipment_task import ShipmentTask, ShipmentTaskKind
from models.shipping import ShippingMethod, ShippingRate, ShippingZone
from models.sign_in import Session, SignIn, SignInFailures
from models.statement import DifferenceKind, StatementDifference, StatementEntry
from models.stock import Backorder, MovementKind, StockLevel, StockMovement, Warehouse
from models.store_credit import (
    GiftCard,
    GiftCardStatus,
    StoreCredit,
    StoreCreditKind,
    StoreCreditMovement,
)
from models.ticket_agent import TicketAgent, TicketRelease, TicketSkill
from models.ticket_difference import TicketDifference, TicketDifferenceUnits
from models.ticket_figures import RefundDay, RefundDimension, TicketDay, TicketRating
from models.ticket_repair import RepairOutcome, TicketRepair
from models.ticket_thread import CannedAnswer, TicketMention, TicketMessageMedia, TicketRead
from models.tracking_link import TrackingLink
from models.training import (
    COUNTING,
    Certificate,
    CertificateRequirement,
    CertificateStatus,
    CertificateSubject,
    Course,
    CourseArticle,
    CourseStatus,
    CourseVersion,
    QuestionKind,
    QuizAnswer,
    QuizAttempt,
    QuizAttemptStatus,
    QuizChoice,
    QuizOption,
    QuizQuestion,
    QuizRelease,
    is_counting,
)
from models.unhandled_report import UnhandledKind, UnhandledReport
from models.urgent_term import UrgentTerm, select_terms_now
from models.vehicle import CourierPosition, CourierProfile, Vehicle
from models.verification import (
    DeviceToken,
    RecoveryCode,
    TotpSecret,
    Verification,
    VerificationPurpose,
)
from models.waybill import CarrierChoice, LabelFormat, Waybill, WaybillStatus

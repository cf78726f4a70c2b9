"""Who may what: permissions, and the one table of the roles that have them."""

from collections.abc import Mapping
from enum import StrEnum

from models.account import Role


class Permission(StrEnum):
    """What an account can be allowed to do; each field of the schema's roots asks for one."""

    PUBLIC = "PUBLIC"
    """Browse, read articles, register, sign in."""
    CART = "CART"
    """Keep a cart, and buy again what one has bought."""
    ORDER_PLACE = "ORDER_PLACE"
    """Order, and ask what an order would cost: guests and customers for themselves, staff for customers."""
    BUY = "BUY"
    """Pay, confirm receipt, be notified of one's own things."""
    ADDRESS_EDIT = "ADDRESS_EDIT"
    """Keep an address book: customers their own, staff those of customers."""
    ACCOUNT_EDIT = "ACCOUNT_EDIT"
    """Change one's own account and end one's own sign-ins."""
    SECOND_FACTOR = "SECOND_FACTOR"
    """Set up a second factor for one's own sign-ins."""
    MEDIA_UPLOAD = "MEDIA_UPLOAD"
    """Upload pictures."""
    STAFF_MANAGE = "STAFF_MANAGE"
    """Create accounts of the staff, change their roles, disable and enable accounts."""
    ACCOUNT_VIEW = "ACCOUNT_VIEW"
    """Find the accounts of others."""
    CONTACT_VIEW = "CONTACT_VIEW"
    """See e-mail addresses, phone numbers and address books of others, wherever an account is shown."""
    STAFF_VIEW = "STAFF_VIEW"
    """List the staff by role."""
    CUSTOMER_VIEW = "CUSTOMER_VIEW"
    """Find customers, and see the page of each: orders, tickets, addresses and figures."""
    CUSTOMER_SERVE = "CUSTOMER_SERVE"
    """Order, open tickets and keep addresses for customers."""
    MEDIA_VIEW = "MEDIA_VIEW"
    """See all pictures, also those that customers sent with tickets."""
    WORK_VIEW = "WORK_VIEW"
    """See the queue of open tasks."""
    ANALYTICS_VIEW = "ANALYTICS_VIEW"
    """Read reports on sales and on the quality of the catalogue."""

    CATALOG_VIEW = "CATALOG_VIEW"
    """See products that are not on sale, such as drafts."""
    CATALOG_EDIT = "CATALOG_EDIT"
    """Change products, prices, categories and attributes; import and export them."""
    PROMOTION_EDIT = "PROMOTION_EDIT"
    """See all promotions and change them."""
    STOCK_VIEW = "STOCK_VIEW"
    """See the exact stock of every warehouse, and down to which number it is low."""
    STOCK_WATCH = "STOCK_WATCH"
    """See movements of stock and what runs low, and set from which number on it does."""
    STOCK_EDIT = "STOCK_EDIT"
    """Count and correct stock, change warehouses."""
    LOGISTICS_VIEW = "LOGISTICS_VIEW"
    """See warehouses and shipping zones."""
    SHIPPING_EDIT = "SHIPPING_EDIT"
    """Change shipping zones and rates, and where cash is taken at the door."""

    ORDER_VIEW = "ORDER_VIEW"
    """See orders of one's own."""
    ORDER_VIEW_ALL = "ORDER_VIEW_ALL"
    """See all orders with their payments and refunds, and which of the staff changed them."""
    ORDER_DETAILS = "ORDER_DETAILS"
    """See of an order more than it takes to bring a parcel: prices, all deliveries, history."""
    ORDER_CHANGE = "ORDER_CHANGE"
    """Cancel orders and lines of orders, change their addresses: customers their own, staff all."""
    ORDER_HOLD = "ORDER_HOLD"
    """Hold orders and release them."""
    ORDER_NOTE = "ORDER_NOTE"
    """Read and write notes for the staff, and read why an order is held."""
    REFUND = "REFUND"
    """See refunds, give some out of goodwill, confirm those made by hand."""
    STORE_CREDIT = "STORE_CREDIT"
    """Have store credit and redeem gift cards."""
    GIFT_CARD_EDIT = "GIFT_CARD_EDIT"
    """See gift cards, issue and withdraw them."""
    CASH_COLLECT = "CASH_COLLECT"
    """Collect cash at the door."""
    CASH_RECEIVE = "CASH_RECEIVE"
    """See the cash that couriers have in hand, and count what they hand in."""
    CASH_WRITE_OFF = "CASH_WRITE_OFF"
    """Give up cash that never comes, or that was missing when it was counted."""

    SHIPMENT_VIEW = "SHIPMENT_VIEW"
    """See single shipments: customers their own, couriers those of their runs, staff all."""
    SHIPMENT_LIST = "SHIPMENT_LIST"
    """See all shipments."""
    SHIPMENT_PACK = "SHIPMENT_PACK"
    """Pack, unpack and dispatch."""
    SHIPMENT_TRACK = "SHIPMENT_TRACK"
    """Add to the tracking of a shipment by hand."""
    DELIVERY_RUN_VIEW = "DELIVERY_RUN_VIEW"
    """See delivery runs: couriers their own, others all."""
    DELIVERY_RUN_PLAN = "DELIVERY_RUN_PLAN"
    """Plan delivery runs and cancel them."""
    DELIVERY_RUN_DRIVE = "DELIVERY_RUN_DRIVE"
    """Drive delivery runs: start, complete stops, report positions."""

    TICKET_VIEW = "TICKET_VIEW"
    """See tickets of one's own."""
    TICKET_VIEW_ALL = "TICKET_VIEW_ALL"
    """See all tickets."""
    TICKET_VIEW_INTERNAL = "TICKET_VIEW_INTERNAL"
    """See internal messages, assignees and suggested articles, wherever a ticket is shown."""
    TICKET_OPEN = "TICKET_OPEN"
    """Open tickets of one's own and apply again."""
    QUESTION_ASK = "QUESTION_ASK"
    """Ask what is about no order: customers for themselves, staff for customers."""
    TICKET_TAKE_PART = "TICKET_TAKE_PART"
    """Write messages, send goods back, escalate, cancel: customers in their own tickets, staff in all."""
    TICKET_HANDLE = "TICKET_HANDLE"
    """Agree to tickets, refuse them, assign them, retry their refunds."""
    TICKET_REPORT_VIEW = "TICKET_REPORT_VIEW"
    """Read the figures of tickets and of who answers them."""
    TICKET_DECIDE = "TICKET_DECIDE"
    """Decide what was escalated."""
    RETURN_RECEIVE = "RETURN_RECEIVE"
    """Accept or refuse goods that came back."""
    ARTICLE_VIEW = "ARTICLE_VIEW"
    """See drafts and former versions of articles."""
    ARTICLE_EDIT = "ARTICLE_EDIT"
    """Write, publish and withdraw articles of the knowledge base."""
    TRAINING_TAKE = "TRAINING_TAKE"
    """Take courses, and see one's own attempts and certificates."""
    TRAINING_EDIT = "TRAINING_EDIT"
    """Write courses and their quizzes, right answers included, publish and withdraw them."""
    TRAINING_MANAGE = "TRAINING_MANAGE"
    """See the attempts and certificates of all, release tries, revoke certificates, and require them."""


P = Permission

EVERYBODY = {P.PUBLIC}
SIGNED_IN = EVERYBODY | {P.ACCOUNT_EDIT, P.MEDIA_UPLOAD, P.ORDER_VIEW, P.SECOND_FACTOR}
OF_ONE_ORDER = (
    EVERYBODY
    | {P.BUY, P.MEDIA_UPLOAD, P.ORDER_CHANGE, P.ORDER_DETAILS, P.ORDER_VIEW, P.SHIPMENT_VIEW}
    | {P.TICKET_OPEN, P.TICKET_TAKE_PART, P.TICKET_VIEW}
)
"""What can be done with an order of one's own."""
EMPLOYEE = SIGNED_IN | {P.ARTICLE_VIEW, P.CATALOG_VIEW, P.LOGISTICS_VIEW, P.STOCK_VIEW, P.TRAINING_TAKE}
"""What who works in the shop may, and nothing of customers: these have rows of their own below."""
OFFICE = (
    EMPLOYEE
    | {P.CONTACT_VIEW, P.MEDIA_VIEW, P.ORDER_DETAILS, P.ORDER_NOTE, P.ORDER_VIEW_ALL}
    | {P.STAFF_VIEW, P.TICKET_VIEW_INTERNAL, P.WORK_VIEW}
)
"""What it takes to work on the orders of all customers."""

SHIPMENTS = {P.CASH_COLLECT, P.DELIVERY_RUN_VIEW, P.SHIPMENT_TRACK, P.SHIPMENT_VIEW}

CATALOGUE = EMPLOYEE | {P.ANALYTICS_VIEW, P.CATALOG_EDIT, P.PROMOTION_EDIT, P.STOCK_WATCH} | {P.TRAINING_EDIT}
WAREHOUSE = (
    OFFICE
    | SHIPMENTS
    | {P.CASH_RECEIVE}
    | {P.DELIVERY_RUN_PLAN, P.SHIPMENT_LIST, P.SHIPMENT_PACK, P.SHIPPING_EDIT, P.STOCK_EDIT, P.STOCK_WATCH}
    | {P.ORDER_HOLD, P.RETURN_RECEIVE, P.TICKET_VIEW, P.TICKET_VIEW_ALL}
)
SUPPORT = (
    OFFICE
    | {P.ACCOUNT_VIEW, P.ADDRESS_EDIT, P.ARTICLE_EDIT, P.CUSTOMER_SERVE, P.CUSTOMER_VIEW}
    | {P.ORDER_CHANGE, P.ORDER_HOLD, P.ORDER_PLACE, P.QUESTION_ASK, P.REFUND}
    | {P.RETURN_RECEIVE, P.SHIPMENT_LIST, P.SHIPMENT_VIEW}
    | {P.TICKET_HANDLE, P.TICKET_OPEN, P.TICKET_TAKE_PART, P.TICKET_VIEW, P.TICKET_VIEW_ALL}
)
MANAGER = (
    CATALOGUE
    | WAREHOUSE
    | SUPPORT
    | {P.CASH_WRITE_OFF, P.GIFT_CARD_EDIT}
    | {P.TICKET_DECIDE, P.TICKET_REPORT_VIEW, P.TRAINING_MANAGE}
)

GRANTS: Mapping[Role, frozenset[Permission]] = {
    role: frozenset(permissions)
    for role, permissions in {
        Role.GUEST: EVERYBODY | {P.CART, P.ORDER_PLACE},
        Role.GUEST_BUYER: OF_ONE_ORDER,
        Role.CUSTOMER: (
            SIGNED_IN | OF_ONE_ORDER | {P.ADDRESS_EDIT, P.CART, P.ORDER_PLACE, P.QUESTION_ASK, P.STORE_CREDIT}
        ),
        Role.CATALOGUE: CATALOGUE,
        Role.WAREHOUSE: WAREHOUSE,
        Role.COURIER: SIGNED_IN | SHIPMENTS | {P.DELIVERY_RUN_DRIVE, P.TRAINING_TAKE},
        Role.SUPPORT: SUPPORT,
        Role.MANAGER: MANAGER,
        Role.ADMIN: MANAGER | {P.STAFF_MANAGE},
    }.items()
}
"""The table: role -> what it may do. A new role of the staff is a member of Role and a row here."""

ENROLMENT = frozenset({P.PUBLIC, P.SECOND_FACTOR})
"""What is left to staff who must set up a second factor first."""

if missing := set(Role) - set(GRANTS):
    raise TypeError(f"no permissions are granted to {sorted(missing)}")


def is_granted(permission: Permission, role: Role) -> bool:
    return permission in GRANTS[role]

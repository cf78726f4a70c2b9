"""Who may what, by field and by id, and how everything is asked for."""

from typing import Any

from models import Role
from schema import schema
from tests.documents import roots
from tests.front import Client

SCHEMA = schema._schema

Roles = frozenset[Role]

GUEST, CUSTOMER, COURIER = Role.GUEST, Role.CUSTOMER, Role.COURIER
EVERYBODY = frozenset(Role)
SIGNED_IN = EVERYBODY - {GUEST}
STAFF = SIGNED_IN - {CUSTOMER}
SHOPPERS = frozenset({GUEST, CUSTOMER})
CUSTOMERS = frozenset({CUSTOMER})
COURIERS = frozenset({COURIER})
ADMINS = frozenset({Role.ADMIN})
BOSSES = frozenset({Role.MANAGER, Role.ADMIN})
CATALOGUE = BOSSES | {Role.CATALOGUE}
WAREHOUSE = BOSSES | {Role.WAREHOUSE}
DELIVERY = WAREHOUSE | COURIERS
SUPPORT = BOSSES | {Role.SUPPORT}
CARERS = SUPPORT | CUSTOMERS

WHO: dict[str, dict[str, Roles]] = {
    "query": {
        "article": EVERYBODY,
        "articleSuggestions": EVERYBODY,
        "articles": EVERYBODY,
        "attributes": CATALOGUE,
        "cart": SHOPPERS,
        "catalogQuality": CATALOGUE,
        "categories": EVERYBODY,
        "category": EVERYBODY,
        "checkoutQuote": SHOPPERS,
        "deliveriesToPack": WAREHOUSE,
        "deliveryRuns": DELIVERY,
        "lowStock": WAREHOUSE | CATALOGUE,
        "node": EVERYBODY,
        "nodes": EVERYBODY,
        "offer": CATALOGUE,
        "offers": CATALOGUE,
        "order": SIGNED_IN,
        "orders": SIGNED_IN,
        "paymentMethods": EVERYBODY,
        "product": EVERYBODY,
        "productReport": CATALOGUE,
        "products": EVERYBODY,
        "refunds": SUPPORT,
        "searchSuggestions": EVERYBODY,
        "shipment": CARERS | DELIVERY,
        "shippingZones": STAFF,
        "shipments": SUPPORT | WAREHOUSE,
        "stockMovements": WAREHOUSE | CATALOGUE,
        "ticket": CARERS | WAREHOUSE,
        "ticketQuote": CARERS,
        "tickets": CARERS | WAREHOUSE,
        "viewer": EVERYBODY,
        "warehouses": STAFF,
    },
    "mutation": {
        "accountDisable": ADMINS,
        "accountEnable": ADMINS,
        "accountRegister": EVERYBODY,
        "addressRemove": CUSTOMERS,
        "addressSave": CUSTOMERS,
        "articlePublish": SUPPORT,
        "articleRate": EVERYBODY,
        "articleSave": SUPPORT,
        "articleWithdraw": SUPPORT,
        "attributeSave": CATALOGUE,
        "cartCouponApply": SHOPPERS,
        "cartCouponRemove": SHOPPERS,
        "cartLineAdd": SHOPPERS,
        "cartLineRemove": SHOPPERS,
        "cartWarningsDismiss": SHOPPERS,
        "cartSavedLineRemove": SHOPPERS,
        "cartLineRestore": SHOPPERS,
        "cartLineSave": SHOPPERS,
        "cartLinesAdd": SHOPPERS,
        "cartLineUpdate": SHOPPERS,
        "cashCollect": DELIVERY,
        "categorySave": CATALOGUE,
        "courierPositionReport": COURIERS,
        "orderAddressChange": CARERS,
        "offerArchive": CATALOGUE,
        "offerSave": CATALOGUE,
        "orderBuyAgain": CUSTOMERS,
        "orderCancel": CARERS,
        "orderHold": SUPPORT | WAREHOUSE,
        "orderLinesCancel": CARERS,
        "orderNoteAdd": STAFF,
        "orderPlace": CUSTOMERS,
        "orderReceiptConfirm": CUSTOMERS,
        "orderRelease": SUPPORT | WAREHOUSE,
        "paymentRefund": SUPPORT,
        "paymentStart": CUSTOMERS,
        "priceChangeCancel": CATALOGUE,
        "priceChangeSchedule": CATALOGUE,
        "priceRemove": CATALOGUE,
        "priceSet": CATALOGUE,
        "productArchive": CATALOGUE,
        "productCreate": CATALOGUE,
        "productPublish": CATALOGUE,
        "productUpdate": CATALOGUE,
        "productView": EVERYBODY,
        "productsImport": CATALOGUE,
        "refundConfirm": SUPPORT,
        "runCancel": WAREHOUSE,
        "runPlan": WAREHOUSE,
        "runStart": COURIERS,
        "sessionCreate": EVERYBODY,
        "sessionRefresh": EVERYBODY,
        "sessionRevoke": EVERYBODY,
        "shipmentDispatch": WAREHOUSE,
        "shipmentEventAdd": DELIVERY,
        "shipmentPack": WAREHOUSE,
        "shipmentUnpack": WAREHOUSE,
        "shippingZoneRemove": WAREHOUSE,
        "shippingZoneSave": WAREHOUSE,
        "staffCreate": ADMINS,
        "stockAdjust": WAREHOUSE,
        "stockThresholdSet": WAREHOUSE | CATALOGUE,
        "stopComplete": COURIERS,
        "ticketAgree": SUPPORT,
        "ticketAssign": SUPPORT,
        "ticketCancel": CARERS,
        "ticketDecide": BOSSES,
        "ticketEscalate": CARERS,
        "ticketMessageAdd": CARERS,
        "ticketOpen": CUSTOMERS,
        "ticketReapply": CUSTOMERS,
        "ticketRefundRetry": SUPPORT,
        "ticketRefuse": SUPPORT,
        "ticketReturnReceive": SUPPORT | WAREHOUSE,
        "ticketReturnShip": CARERS,
        "variantArchive": CATALOGUE,
        "variantSave": CATALOGUE,
        "warehouseSave": WAREHOUSE,
    },
    "subscription": {
        "cartUpdates": SHOPPERS,
        "orderUpdates": SIGNED_IN,
        "runUpdates": DELIVERY,
        "shipmentUpdates": CARERS | DELIVERY,
        "ticketUpdates": CARERS | WAREHOUSE,
        "viewerUpdates": CUSTOMERS,
        "workQueue": STAFF,
    },
}
"""THE TABLE: operation -> field of its root -> who may ask for it. A new field needs a row."""


FIELDS = [(keyword, name) for keyword, root in roots(SCHEMA).items() for name in root.fields]


def codes(reply: dict[str, Any]) -> list[str | None]:
    """Why an answer is none: of the whole, or of the one field that was asked."""
    (payload,) = (reply.get("data") or {"": None}).values()
    refused = (
        (payload.get("userErrors") or payload.get("problems") or []) if isinstance(payload, dict) else []
    )
    whole = [error.get("extensions", {}).get("code") for error in reply.get("errors", [])]
    return [*whole, *(error["code"] for error in refused)]


async def watched(somebody: Client, text: str) -> dict[str, Any]:
    """What a subscription says first; one that only waits says nothing."""
    async with somebody.watch(text) as watch:
        return {} if watch.waits else await watch.answer()

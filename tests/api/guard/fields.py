"""Every root field with the permission it asks for, and how its answers are read."""

from typing import Any

from models import Permission
from schema import schema
from tests.clients import Client
from tests.documents import root_types

SCHEMA = schema._schema

REQUIRED: dict[str, dict[str, Permission]] = {
    "query": {
        "article": Permission.PUBLIC,
        "articleSuggestions": Permission.PUBLIC,
        "articles": Permission.PUBLIC,
        "attributes": Permission.CATALOG_EDIT,
        "cart": Permission.CART,
        "catalogQuality": Permission.ANALYTICS_VIEW,
        "categories": Permission.PUBLIC,
        "category": Permission.PUBLIC,
        "checkoutQuote": Permission.ORDER_PLACE,
        "customer": Permission.CUSTOMER_VIEW,
        "customers": Permission.CUSTOMER_VIEW,
        "deliveriesToPack": Permission.SHIPMENT_PACK,
        "deliveryRuns": Permission.DELIVERY_RUN_VIEW,
        "lowStock": Permission.STOCK_WATCH,
        "node": Permission.PUBLIC,
        "nodes": Permission.PUBLIC,
        "promotion": Permission.PROMOTION_EDIT,
        "promotions": Permission.PROMOTION_EDIT,
        "order": Permission.ORDER_VIEW,
        "orders": Permission.ORDER_VIEW,
        "paymentMethods": Permission.PUBLIC,
        "product": Permission.PUBLIC,
        "productReport": Permission.ANALYTICS_VIEW,
        "products": Permission.PUBLIC,
        "refunds": Permission.REFUND,
        "searchSuggestions": Permission.PUBLIC,
        "shipment": Permission.SHIPMENT_VIEW,
        "shippingZones": Permission.LOGISTICS_VIEW,
        "shipments": Permission.SHIPMENT_LIST,
        "staff": Permission.STAFF_VIEW,
        "stockMovements": Permission.STOCK_WATCH,
        "ticket": Permission.TICKET_VIEW,
        "ticketQuote": Permission.TICKET_TAKE_PART,
        "tickets": Permission.TICKET_VIEW,
        "viewer": Permission.PUBLIC,
        "warehouses": Permission.LOGISTICS_VIEW,
    },
    "mutation": {
        "accountDisable": Permission.STAFF_MANAGE,
        "accountEnable": Permission.STAFF_MANAGE,
        "accountRegister": Permission.PUBLIC,
        "accountExport": Permission.ACCOUNT_EDIT,
        "accountErase": Permission.ACCOUNT_EDIT,
        "staffErase": Permission.STAFF_MANAGE,
        "totpEnrol": Permission.SECOND_FACTOR,
        "totpConfirm": Permission.SECOND_FACTOR,
        "totpRemove": Permission.SECOND_FACTOR,
        "recoveryCodesRenew": Permission.SECOND_FACTOR,
        "staffTotpReset": Permission.STAFF_MANAGE,
        "accountUpdate": Permission.ACCOUNT_EDIT,
        "registrationConfirm": Permission.PUBLIC,
        "contactChange": Permission.ACCOUNT_EDIT,
        "contactVerify": Permission.ACCOUNT_EDIT,
        "passwordChange": Permission.ACCOUNT_EDIT,
        "passwordResetStart": Permission.PUBLIC,
        "passwordReset": Permission.PUBLIC,
        "deviceTokenRegister": Permission.ACCOUNT_EDIT,
        "deviceTokenRemove": Permission.ACCOUNT_EDIT,
        "addressRemove": Permission.ADDRESS_EDIT,
        "addressSave": Permission.ADDRESS_EDIT,
        "articlePublish": Permission.ARTICLE_EDIT,
        "articleRate": Permission.PUBLIC,
        "articleSave": Permission.ARTICLE_EDIT,
        "articleWithdraw": Permission.ARTICLE_EDIT,
        "attributeSave": Permission.CATALOG_EDIT,
        "cartCouponApply": Permission.CART,
        "cartCouponRemove": Permission.CART,
        "cartLineAdd": Permission.CART,
        "cartLineRemove": Permission.CART,
        "cartWarningsDismiss": Permission.CART,
        "cartSavedLineRemove": Permission.CART,
        "cartLineRestore": Permission.CART,
        "cartLineSave": Permission.CART,
        "cartLinesAdd": Permission.CART,
        "cartLineUpdate": Permission.CART,
        "cashCollect": Permission.CASH_COLLECT,
        "categorySave": Permission.CATALOG_EDIT,
        "courierPositionReport": Permission.DELIVERY_RUN_DRIVE,
        "deliveryRunCancel": Permission.DELIVERY_RUN_PLAN,
        "deliveryRunPlan": Permission.DELIVERY_RUN_PLAN,
        "deliveryRunStart": Permission.DELIVERY_RUN_DRIVE,
        "orderAddressChange": Permission.ORDER_CHANGE,
        "promotionArchive": Permission.PROMOTION_EDIT,
        "promotionSave": Permission.PROMOTION_EDIT,
        "orderBuyAgain": Permission.CART,
        "orderCancel": Permission.ORDER_CHANGE,
        "orderHold": Permission.ORDER_HOLD,
        "orderLinesCancel": Permission.ORDER_CHANGE,
        "orderNoteAdd": Permission.ORDER_NOTE,
        "orderPlace": Permission.ORDER_PLACE,
        "orderReceiptConfirm": Permission.BUY,
        "orderRelease": Permission.ORDER_HOLD,
        "orderSecretRequest": Permission.PUBLIC,
        "otherSignInsEnd": Permission.ACCOUNT_EDIT,
        "paymentRefund": Permission.REFUND,
        "paymentStart": Permission.BUY,
        "priceChangeCancel": Permission.CATALOG_EDIT,
        "priceChangeSchedule": Permission.CATALOG_EDIT,
        "priceRemove": Permission.CATALOG_EDIT,
        "priceSet": Permission.CATALOG_EDIT,
        "productArchive": Permission.CATALOG_EDIT,
        "productCreate": Permission.CATALOG_EDIT,
        "productPublish": Permission.CATALOG_EDIT,
        "productUpdate": Permission.CATALOG_EDIT,
        "productView": Permission.PUBLIC,
        "productsImport": Permission.CATALOG_EDIT,
        "refundConfirm": Permission.REFUND,
        "sessionCreate": Permission.PUBLIC,
        "sessionRefresh": Permission.PUBLIC,
        "sessionRevoke": Permission.PUBLIC,
        "shipmentDispatch": Permission.SHIPMENT_PACK,
        "shipmentEventAdd": Permission.SHIPMENT_TRACK,
        "shipmentPack": Permission.SHIPMENT_PACK,
        "shipmentUnpack": Permission.SHIPMENT_PACK,
        "shippingZoneRemove": Permission.SHIPPING_EDIT,
        "shippingZoneSave": Permission.SHIPPING_EDIT,
        "signInEnd": Permission.ACCOUNT_EDIT,
        "staffCreate": Permission.STAFF_MANAGE,
        "staffRoleChange": Permission.STAFF_MANAGE,
        "stockAdjust": Permission.STOCK_EDIT,
        "stockThresholdSet": Permission.STOCK_WATCH,
        "stopComplete": Permission.DELIVERY_RUN_DRIVE,
        "ticketAgree": Permission.TICKET_HANDLE,
        "ticketAssign": Permission.TICKET_HANDLE,
        "ticketCancel": Permission.TICKET_TAKE_PART,
        "ticketDecide": Permission.TICKET_DECIDE,
        "ticketEscalate": Permission.TICKET_TAKE_PART,
        "ticketMessageAdd": Permission.TICKET_TAKE_PART,
        "ticketOpen": Permission.TICKET_OPEN,
        "ticketReapply": Permission.TICKET_OPEN,
        "ticketRefundRetry": Permission.TICKET_HANDLE,
        "ticketRefuse": Permission.TICKET_HANDLE,
        "ticketReturnReceive": Permission.RETURN_RECEIVE,
        "ticketReturnShip": Permission.TICKET_TAKE_PART,
        "variantArchive": Permission.CATALOG_EDIT,
        "variantSave": Permission.CATALOG_EDIT,
        "warehouseSave": Permission.STOCK_EDIT,
    },
    "subscription": {
        "cartUpdates": Permission.CART,
        "orderUpdates": Permission.ORDER_VIEW,
        "deliveryRunUpdates": Permission.DELIVERY_RUN_VIEW,
        "productUpdates": Permission.PUBLIC,
        "shipmentUpdates": Permission.SHIPMENT_VIEW,
        "ticketUpdates": Permission.TICKET_VIEW,
        "viewerUpdates": Permission.BUY,
        "workQueue": Permission.WORK_VIEW,
    },
}
"""Operation -> field of its root -> the permission it asks for. A new field needs a row."""


FIELDS = [(keyword, name) for keyword, root in root_types(SCHEMA).items() for name in root.fields]


def error_codes(reply: dict[str, Any]) -> list[str | None]:
    """The codes of all errors: of the whole answer, and of the one field that was asked for."""
    (payload,) = (reply.get("data") or {"": None}).values()
    top = [error.get("extensions", {}).get("code") for error in reply.get("errors", [])]
    if not isinstance(payload, dict):
        return top
    refusals = payload.get("userErrors") or payload.get("problems") or []
    return [*top, *(error["code"] for error in refusals)]


async def first_answer(somebody: Client, text: str) -> dict[str, Any]:
    """The first answer of a subscription; {} of one that only waits."""
    async with somebody.watch(text) as watch:
        return {} if watch.is_empty else await watch.answer()

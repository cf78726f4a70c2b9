"""THE TABLE of fields that not everybody who sees a thing may read, and of those that are personal.

Who has which permission stands in models/permissions.py. Who may not read a field is refused for this field;
when the staff read what is personal, it is noted whose it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema

from resolvers.context import Context
from resolvers.guard import Permission

PRIVACY = "privacy"
"""The key under which a field of the schema keeps its FieldPrivacy."""


@dataclass(frozen=True, slots=True)
class Restricted:
    """All fields of a type but the open ones ask for a permission, so that a new one does, too."""

    permission: Permission
    open: frozenset[str]


def all_but(permission: Permission, fields: str) -> Restricted:
    return Restricted(permission, frozenset(fields.split()))


RESTRICTED: Mapping[str, Restricted] = {
    "Order": all_but(
        Permission.ORDER_DETAILS,
        "id number status displayStatus paymentStatus fulfilmentStatus version heldAt cashPayments",
    ),
    "OrderLine": all_but(
        Permission.ORDER_DETAILS, "id position title sku options pictureUrl quantity product variant"
    ),
    "Delivery": all_but(Permission.ORDER_DETAILS, "id position address method window order"),
    "Payment": all_but(Permission.ORDER_DETAILS, "id position method status total captured capturedAt order"),
}
"""Of what couriers see, too, for the parcels that they bring."""

RESTRICTED_FIELDS: Mapping[str, Permission] = {
    "StockMovement.actor": Permission.ORDER_VIEW_ALL,
    "StockMovement.order": Permission.ORDER_VIEW_ALL,
}
"""Single fields that lead to what their readers may not see."""

POSTAL = frozenset({"recipient", "phone", "province", "city", "district", "line1", "line2", "postalCode"}) | {
    "latitude",
    "longitude",
    "coordinateSource",
    "preferredFrom",
    "preferredUntil",
}
PERSONAL: Mapping[str, frozenset[str]] = {
    "Account": frozenset({"name", "email", "phone", "language"}),
    "Address": POSTAL | {"countryCode"},
    "Customer": frozenset({"email", "phone"}),
    "Delivery": frozenset({"window"}),
    "DeliveryRun": frozenset({"map"}),
    "DeliveryRunStop": frozenset({"note", "proof", "signature", "photo"}),
    "GiftCard": frozenset({"reason", "voidReason"}),
    "Order": frozenset({"note", "cancelReason"}),
    "Payment": frozenset({"failure"}),
    "PaymentAttempt": frozenset({"failure"}),
    "PostalAddress": POSTAL,
    "ProofOfDelivery": frozenset({"takenBy", "signature", "photo"}),
    "Refund": frozenset({"reason", "failure"}),
    "Shipment": frozenset({"journeyMap"}),
    "ShipmentTask": frozenset({"note"}),
    "Ticket": frozenset({"description", "refusal", "returnCarrier", "returnTrackingNumber", "media"}),
    "TicketMessage": frozenset({"body"}),
    "TrackingEvent": frozenset({"description", "location"}),
}
"""Type -> its fields that hold what is personal of a customer."""


@dataclass(frozen=True, slots=True)
class FieldPrivacy:
    """What it takes to read a field, and whether it is noted who does."""

    name: str
    """The type and the field, such as "Account.email"."""
    permission: Permission | None
    personal: bool

    def admit(self, source: object, context: Context) -> None:
        """Raise Forbidden for viewers without the permission; note who reads what is personal of others."""
        if self.permission is not None:
            context.viewer.require(self.permission)
        if self.personal:
            context.note_reading(source, self.name)


def prepare_privacy(schema: GraphQLSchema) -> None:
    """Guard the fields of the table; TypeError where it names what is not in the schema."""
    unknown = {*RESTRICTED, *PERSONAL} | {name.partition(".")[0] for name in RESTRICTED_FIELDS}
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType):
            unknown.discard(each.name)
            for name, declared in each.fields.items():
                if privacy := describe_privacy(each.name, name):
                    declared.extensions[PRIVACY] = privacy
                    declared.resolve = guard_field(declared, privacy)
    if unknown:
        raise TypeError(f"there are no types {sorted(unknown)}")


def describe_privacy(type_name: str, field: str) -> FieldPrivacy | None:
    """What the table says of a field; None where it says nothing."""
    name = f"{type_name}.{field}"
    restricted = RESTRICTED.get(type_name)
    permission = RESTRICTED_FIELDS.get(name)
    if restricted is not None and field not in restricted.open:
        permission = restricted.permission
    personal = field in PERSONAL.get(type_name, ())
    return FieldPrivacy(name, permission, personal) if permission or personal else None


def guard_field(declared: GraphQLField, privacy: FieldPrivacy) -> Callable[..., object]:
    """The resolver of a field, refused to viewers who may not read it."""
    resolve = declared.resolve
    if resolve is None:
        raise TypeError(f"{privacy.name} has no resolver")

    def answer(source: object, info: object, **arguments: object) -> object:
        privacy.admit(source, info.context)  # type: ignore[attr-defined]
        return resolve(source, info, **arguments)

    return answer

"""Parcels, bookings and accounts as carriers are given them."""

from collections.abc import Sequence
from dataclasses import replace

from domain.place import point_of
from gateways.carrier.protocol import (
    Booking,
    CarrierAccount,
    CarrierAddress,
    Parcel,
    PickupWindow,
    TrackedParcel,
)
from geo import find_point
from loaders.return_parcel import CollectionRoute, ReturnRoute
from loaders.shipment import ShipmentRoute
from models import AddressColumns, Carrier, Money, Warehouse, Waybill


def account_of(carrier: Carrier) -> CarrierAccount:
    """A carrier as its connection knows it."""
    return CarrierAccount(
        code=carrier.code,
        name=carrier.name,
        account=carrier.account,
        service=carrier.service,
        company_code=carrier.company_code,
    )


def booking_of(
    routes: Sequence[ShipmentRoute], carrier: Carrier, waybill: Waybill, *, cash: Money | None = None
) -> Booking:
    """What a carrier is asked for a waybill; its first parcel first."""
    begins, ends = waybill.pickup_from, waybill.pickup_until
    return Booking(
        reference=waybill.reference,
        account=account_of(carrier),
        parcels=[parcel_of(route) for route in routes],
        cash=cash,
        pickup=PickupWindow(begins, ends) if begins and ends else None,
        asked_at=waybill.requested_at,
    )


def tracked_parcel_of(route: ShipmentRoute, carrier: Carrier) -> TrackedParcel | None:
    """A parcel as its carrier is asked about it; None for one that has not left with a number."""
    shipment = route.shipment
    if shipment.tracking_number is None or shipment.dispatched_at is None:
        return None
    account = account_of(carrier)
    if shipment.company_code:
        account = replace(account, company_code=shipment.company_code)
    return TrackedParcel(
        account=account,
        parcel=parcel_of(route),
        tracking_number=shipment.tracking_number,
        dispatched_at=shipment.dispatched_at,
    )


def collection_booking_of(route: CollectionRoute, carrier: Carrier, waybill: Waybill) -> Booking:
    """What a carrier is asked for what it is to collect from a customer."""
    begins, ends = waybill.pickup_from, waybill.pickup_until
    parcel = Parcel(
        number=waybill.reference,
        weight_grams=route.collection.weight_grams,
        sender=receiver_of(route.collection),
        receiver=sender_of(route.warehouse),
    )
    return Booking(
        reference=waybill.reference,
        account=account_of(carrier),
        parcels=[parcel],
        pickup=PickupWindow(begins, ends) if begins and ends else None,
        asked_at=waybill.requested_at,
    )


def tracked_return_of(route: ReturnRoute, carrier: Carrier) -> TrackedParcel:
    """A parcel that comes back as its carrier is asked about it."""
    parcel, account = route.parcel, account_of(carrier)
    if parcel.company_code:
        account = replace(account, company_code=parcel.company_code)
    return TrackedParcel(
        account=account,
        parcel=Parcel(
            number=f"RETURN-{parcel.id}",
            weight_grams=0,
            sender=receiver_of(route.sender),
            receiver=sender_of(route.warehouse),
        ),
        tracking_number=parcel.tracking_number,
        dispatched_at=route.leaves_at,
    )


def parcel_of(route: ShipmentRoute) -> Parcel:
    """A shipment as its carrier is told about it."""
    return Parcel(
        number=route.shipment.number,
        weight_grams=route.shipment.weight_grams,
        sender=sender_of(route.warehouse),
        receiver=receiver_of(route.delivery),
        size=route.shipment.size,
    )


def sender_of(warehouse: Warehouse) -> CarrierAddress:
    return CarrierAddress(
        name=warehouse.name,
        phone="",
        province=warehouse.province,
        city=warehouse.city,
        district=warehouse.district,
        line1=warehouse.line1,
        latitude=warehouse.latitude,
        longitude=warehouse.longitude,
        country_code=warehouse.country_code,
    )


def receiver_of(delivery: AddressColumns) -> CarrierAddress:
    """The address of a delivery, with its coordinates, else those of its district where they are known."""
    point = point_of(delivery) or find_point(delivery.province, delivery.city, delivery.district)
    return CarrierAddress(
        name=delivery.recipient,
        phone=delivery.phone,
        province=delivery.province,
        city=delivery.city,
        district=delivery.district,
        line1=f"{delivery.line1} {delivery.line2}".strip(),
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
        country_code=delivery.country_code,
        postal_code=delivery.postal_code or "",
    )

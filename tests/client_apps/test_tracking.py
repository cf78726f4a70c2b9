"""The tracking page."""

from tests.client_apps.client_app import ClientApp
from tests.client_apps.conftest import OpenApp, SignIn
from tests.geo.svg import marks_of, parse_map


async def open_tracking(open_app: OpenApp, sign_in: SignIn) -> ClientApp:
    """Open the page for a customer who signed in on the web shop."""
    tracking, web = open_app("tracking"), await sign_in("web", "xiaoyu")
    tracking.client.headers = web.client.headers
    return tracking


async def test_a_parcel_is_followed_from_its_first_event_on(open_app: OpenApp, sign_in: SignIn) -> None:
    tracking = await open_tracking(open_app, sign_in)
    order = (await tracking.read("TrackingOrder", number="DEMO0008"))["order"]
    (parcel,) = order["shipments"]

    shown = (await tracking.read("TrackingParcel", number=parcel["number"]))["shipment"]
    update = await tracking.first_update("TrackingParcelUpdates", id=parcel["id"], after=0)

    assert shown["order"] == {key: order[key] for key in ("id", "number", "displayStatus")}
    assert (shown["carrier"], shown["delivery"]["address"]["city"]) == ("SIMULATED", "上海市")
    assert (update["version"], update["shipment"]["id"]) == (1, parcel["id"])


async def test_the_way_of_a_parcel_is_a_picture_also_for_who_has_its_link(
    open_app: OpenApp, sign_in: SignIn
) -> None:
    web, desk = await sign_in("web", "xiulan"), await sign_in("staff", "manager")
    tracking, anybody = open_app("tracking"), open_app("tracking")
    tracking.client.headers = web.client.headers
    crossing = "query { shipments(first: 1) { nodes { id number } } }"
    parcel = (await desk.client.get(crossing))["shipments"]["nodes"][0]
    link = "mutation ($input: ShipmentLinkCreateInput!) { shipmentLinkCreate(input: $input) { token } }"
    token = (await tracking.client.do(link, id=parcel["id"]))["token"]

    own = (await tracking.read("TrackingParcelMap", number=parcel["number"]))["shipment"]["journeyMap"]
    linked = (await anybody.read("TrackingLink", token=token))["trackedShipment"]["journeyMap"]

    assert [look for _, look in marks_of(parse_map(own))] == ["done", "done", "done", "next"]
    assert [look for _, look in marks_of(parse_map(linked))] == ["done", "done", "done", "next"]
    assert ("武侯区" in own, "武侯区" in linked, "成都市" in linked) == (True, False, True)


async def test_a_stranger_follows_nobodys_parcel(open_app: OpenApp, sign_in: SignIn) -> None:
    tracking, web = open_app("tracking"), await sign_in("web", "emma")
    tracking.client.headers = web.client.headers

    assert await tracking.read("TrackingOrder", number="DEMO0008") == {"order": None}

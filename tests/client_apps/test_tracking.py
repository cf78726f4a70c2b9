"""The tracking page."""

from tests.client_apps.client_app import ClientApp
from tests.client_apps.conftest import OpenApp, SignIn


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


async def test_a_stranger_follows_nobodys_parcel(open_app: OpenApp, sign_in: SignIn) -> None:
    tracking, web = open_app("tracking"), await sign_in("web", "emma")
    tracking.client.headers = web.client.headers

    assert await tracking.read("TrackingOrder", number="DEMO0008") == {"order": None}

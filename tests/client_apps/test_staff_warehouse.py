"""The staff desk in the warehouse: waves, scanning, documents, vehicles and drafts of runs."""

from resolvers.ids import global_id
from tests.client_apps.client_app import ClientApp
from tests.client_apps.conftest import SignIn

ALL_WEEK = [
    {"weekday": day, "begins": "00:00", "ends": "23:59"}
    for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
]


async def test_a_wave_is_picked_scanned_and_packed(sign_in: SignIn) -> None:
    desk = await sign_in("staff", "warehouse")
    [listed] = (await desk.read("StaffWaves", status=["OPEN"], first=5))["waves"]["nodes"]
    wave = (await desk.read("StaffWave", id=listed["id"]))["wave"]
    part = wave["parts"][0]
    packing = (await desk.read("StaffDeliveryPacking", deliveryId=part["delivery"]["id"]))["deliveryPacking"]
    line = next(each for each in wave["pickList"] if each["parts"][0]["order"] == part["order"])

    given_up = await desk.do("StaffParcelOpen", deliveryId=part["delivery"]["id"])
    await desk.do("StaffParcelCancel", id=given_up["openParcel"]["id"])
    parcel = (await desk.do("StaffParcelOpen", deliveryId=part["delivery"]["id"]))["openParcel"]
    scan = {"id": parcel["id"], "barcode": line["variant"]["sku"], "idempotencyKey": "scan 1"}
    scanned = [(await desk.do("StaffParcelScan", **scan))["openParcel"] for _ in range(2)]
    packed = await desk.do(
        "StaffShipmentPack", deliveryId=part["delivery"]["id"], parcels=[{"openParcelId": parcel["id"]}]
    )
    documents = (await desk.read("StaffParcelDocuments", id=packed["shipments"][0]["id"]))["shipment"]
    booked = await desk.do("StaffShipmentBook", id=packed["shipments"][0]["id"], carrier="SIMULATED")

    assert (listed["number"], wave["status"]) == ("WDEMO01", "OPEN")
    assert [each["binPlace"] for each in wave["pickList"]] != [""] * len(wave["pickList"])
    assert packing["proposal"]["parcels"] != []
    assert [each["lines"][0]["quantity"] for each in scanned] == [1, 1]
    assert all("/documents/" in documents[each]["url"] for each in ("label", "packingSlip"))
    assert [each["status"] for each in booked["shipment"]["waybills"]] == ["BOOKED"]
    await desk.do("StaffWaveCancel", id=wave["id"])
    again = await desk.do("StaffWaveOpen", warehouseId=wave["warehouse"]["id"])
    assert again["wave"]["status"] == "OPEN"
    moved = await desk.do(
        "StaffBinPlacesSet",
        warehouseId=wave["warehouse"]["id"],
        places=[{"variantId": line["variant"]["id"], "place": "Z-9"}],
    )
    assert [each["binPlace"] for each in moved["stock"]] == ["Z-9"]
    boxes = (await desk.read("StaffBoxTypes", warehouseId=wave["warehouse"]["id"]))["boxTypes"]
    assert len(boxes) == 3
    assert (await desk.read("StaffWaybillTasks", first=5))["waybillTasks"]["totalCount"] == 0
    manager = await sign_in("staff", "manager")
    unknown = global_id("WaybillTask", 9_999)
    assert await manager.refused("StaffWaybillTaskResolve", id=unknown, note="x") == ["NOT_FOUND"]


async def test_drafts_are_planned_for_vehicles_given_to_a_courier_and_ended(sign_in: SignIn) -> None:
    desk, courier = await sign_in("staff", "manager"), await sign_in("staff", "courier")
    courier_id = (await courier.read("StaffViewer"))["viewer"]["account"]["id"]
    parcel = (await desk.read("StaffOrder", number="DEMO0005"))["order"]["shipments"][0]
    depot = parcel["warehouse"]["id"]
    van = await desk.do("StaffVehicleSave", name="Van", warehouseId=depot, capacityParcels=50, speedKmh=30)
    await desk.do("StaffCourierProfileSave", courierId=courier_id, shifts=ALL_WEEK)

    planned = await desk.do(
        "StaffDeliveryRunDrafts",
        vehicleIds=[van["vehicle"]["id"]],
        stops=[{"shipmentId": parcel["id"], "priority": 1}],
    )
    [draft] = planned["deliveryRuns"]
    run = (await desk.do("StaffDeliveryRunAssign", id=draft["id"], courierId=courier_id))["deliveryRun"]
    replanned = (await desk.do("StaffDeliveryRunReplan", id=run["id"]))["deliveryRun"]
    joins = await pack_at(desk, depot)
    joined = await desk.do("StaffDeliveryRunStopAdd", id=run["id"], stop={"shipmentId": joins})
    await courier.do("StaffDeliveryRunStart", id=run["id"])
    ended = await desk.do("StaffDeliveryRunEnd", id=run["id"], reason="手机没电了")

    assert (draft["status"], run["status"], planned["unplanned"]) == ("DRAFT", "PLANNED", [])
    assert [stop["shipment"]["id"] for stop in replanned["stops"]] == [parcel["id"]]
    assert len(joined["deliveryRun"]["stops"]) == 2
    assert ended["deliveryRun"]["status"] == "COMPLETED"
    assert {stop["outcome"] for stop in ended["deliveryRun"]["stops"]} == {"FAILED"}
    found = (await desk.read("StaffVehicles", warehouseId=depot, first=5))["vehicles"]["nodes"]
    assert [each["name"] for each in found] == ["Van"]


async def pack_at(desk: ClientApp, warehouse_id: str) -> str:
    """Pack what waits in a warehouse into one parcel; return its id."""
    waiting = await desk.read("StaffDeliveriesToPack", warehouseId=warehouse_id, first=1)
    delivery = waiting["deliveriesToPack"]["nodes"][0]
    lines = [
        {"deliveryLineId": line["id"], "quantity": line["quantity"] - line["packed"]}
        for line in delivery["lines"]
        if line["warehouse"]["id"] == warehouse_id and line["quantity"] > line["packed"]
    ]
    packed = await desk.do("StaffShipmentPack", deliveryId=delivery["id"], parcels=[{"lines": lines}])
    parcel: str = packed["shipments"][0]["id"]
    return parcel

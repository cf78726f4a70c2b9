"""What owners do with their accounts, in the web shop, on the phone and at the staff desk."""

import pyotp

from demo.load import PASSWORD
from tests.client_apps.conftest import OpenApp, SignIn
from tests.clients import Clients
from tests.notices import code_sent, send_notices

NEW_PASSWORD = "open sesame 8"


async def test_an_owner_changes_name_contact_and_password(sign_in: SignIn, clients: Clients) -> None:
    web = await sign_in("web", "emma")

    renamed = (await web.do("WebAccountUpdate", password=PASSWORD, name="Emma Lin"))["account"]
    started = await web.do("WebContactChange", password=PASSWORD, contact="emma.lin@example.com")
    code = await code_sent(clients.shop, "emma.lin@example.com")
    verified = await web.do("WebContactVerify", token=started["verification"]["token"], code=code)
    await web.do("WebPasswordChange", password=PASSWORD, newPassword=NEW_PASSWORD)

    assert (renamed["name"], verified["account"]["email"]) == ("Emma Lin", "emma.lin@example.com")
    web.client.headers = {}
    signed_in = await web.do("WebSessionCreate", login="emma.lin@example.com", password=NEW_PASSWORD)
    assert signed_in["session"]["account"]["name"] == "Emma Lin"


async def test_an_owner_ends_other_sign_ins(sign_in: SignIn) -> None:
    web, _, _ = [await sign_in("web", "emma") for _ in range(3)]
    listed = (await web.read("WebSignIns"))["viewer"]["account"]["signIns"]
    other = next(each for each in listed if not each["isCurrent"])

    one_less = (await web.do("WebSignInEnd", id=other["id"]))["account"]["signIns"]
    document = web.documents["WebOtherSignInsEnd"]
    left = (await web.client.get(document))["otherSignInsEnd"]["account"]["signIns"]

    assert other["id"] not in [each["id"] for each in one_less]
    assert [each["isCurrent"] for each in left] == [True]


async def test_a_forgotten_password_is_reset(open_app: OpenApp, clients: Clients) -> None:
    web = open_app("web")

    started = await web.do("WebPasswordResetStart", contact="emma@example.com")
    code = await code_sent(clients.shop, "emma@example.com")
    reset = await web.do(
        "WebPasswordReset", token=started["verification"]["token"], code=code, newPassword=NEW_PASSWORD
    )

    assert reset["resetAt"]
    assert await web.refused("WebSessionCreate", login="emma@example.com", password=PASSWORD) == [
        "CREDENTIALS_REFUSED"
    ]


async def test_an_owner_exports_and_erases_an_account(open_app: OpenApp, clients: Clients) -> None:
    web = open_app("web")
    started = await web.do(
        "WebAccountRegister", name="周舟", email="zhou@example.com", password="open sesame 7"
    )
    code = await code_sent(clients.shop, "zhou@example.com")
    confirmed = await web.do("WebRegistrationConfirm", token=started["verification"]["token"], code=code)
    web.client.headers = {"Authorization": f"Bearer {confirmed['session']['accessToken']}"}

    exported = (await web.do("WebAccountExport", password="open sesame 7"))["accountExport"]
    erased = (await web.do("WebAccountErase", password="open sesame 7"))["account"]

    assert exported["url"].startswith("http")
    assert erased["erasedAt"] is None, "it is erased within a minute"
    web.client.headers = {}
    assert await web.refused("WebSessionCreate", login="zhou@example.com", password="open sesame 7") == [
        "CREDENTIALS_REFUSED"
    ]


async def test_a_phone_takes_notices_of_its_sign_in(sign_in: SignIn) -> None:
    mobile = await sign_in("mobile", "emma")

    registered = (await mobile.do("MobileDeviceTokenRegister", token="a device token"))["signIn"]
    removed = (await mobile.client.get(mobile.documents["MobileDeviceTokenRemove"]))["deviceTokenRemove"]

    assert registered["getsPushNotices"] is True
    assert removed["signIn"] == {"id": registered["id"], "getsPushNotices": False}


async def test_a_member_of_the_staff_uses_a_second_factor(sign_in: SignIn, clients: Clients) -> None:
    desk = await sign_in("staff", "manager")

    enrolment = (await desk.do("StaffTotpEnrol", password=PASSWORD))["totpEnrolment"]
    code = pyotp.TOTP(enrolment["secret"]).now()
    first = (await desk.do("StaffTotpConfirm", code=code))["recoveryCodes"]["codes"]
    renewed = await desk.do("StaffRecoveryCodesRenew", password=PASSWORD, secondFactor=first[0])
    codes = renewed["recoveryCodes"]["codes"]
    account = (await desk.do("StaffTotpRemove", password=PASSWORD, secondFactor=codes[0]))["account"]

    assert enrolment["uri"].startswith("otpauth://totp/")
    assert len(codes) == len(first)
    assert not {*codes} & {*first}
    assert account["secondFactorSince"] is None
    await send_notices(clients.shop)

"""AMap (高德地图), whose web service finds addresses in China: GET /v3/geocode/geo.

Its answers are in GCJ-02 and have no status of HTTP for what was refused: `infocode` says it
(https://lbs.amap.com/api/webservice/guide/api/georegeo and /guide/tools/info).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5

import httpx

from gateways.geocoder.protocol import GeocoderError, PlaceToLocate
from geo import Point, from_gcj02

TIMEOUT_SECONDS = 5.0
ANSWER_BYTES_LIMIT = 100_000
OK = "10000"
NOT_FOUND = frozenset({"20000", "20800", "20801", "20802", "20803", "30000", "30001"})
"""The address is none that it can read, or it knows none such."""
TOO_COARSE = frozenset({"国家", "省", "市", "区县", "未知"})
"""Levels no better than the centre of a district, which the shop knows itself."""


@dataclass(frozen=True, slots=True)
class Amap:
    """The shop's key at AMap."""

    client: httpx.AsyncClient
    key: str
    signing_key: str
    """Signs questions, where the key was made with a signature; empty otherwise."""
    address: str
    timeout_seconds: float = TIMEOUT_SECONDS

    async def locate(self, place: PlaceToLocate) -> Point | None:
        question = {
            "address": f"{place.province}{place.city}{place.district}{place.line1}",
            "city": place.city,
            "key": self.key,
            "output": "JSON",
        }
        if self.signing_key:
            question["sig"] = sign(question, self.signing_key)
        return read_answer(await self.fetch(question))

    async def fetch(self, question: Mapping[str, str]) -> bytes:
        url, headers = f"{self.address}/v3/geocode/geo", {"accept-encoding": "identity"}
        body = b""
        try:
            async with self.client.stream(
                "GET", url, params=question, headers=headers, timeout=self.timeout_seconds
            ) as response:
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > ANSWER_BYTES_LIMIT:
                        raise GeocoderError(f"the answer has more than {ANSWER_BYTES_LIMIT} bytes")
        except httpx.HTTPError as error:
            raise GeocoderError(type(error).__name__) from None
        if response.status_code != httpx.codes.OK:
            raise GeocoderError(f"HTTP {response.status_code}")
        return body


def sign(question: Mapping[str, str], signing_key: str) -> str:
    """The MD5 of all parameters by name and the key: what AMap's protocol asks for."""
    text = "&".join(f"{name}={value}" for name, value in sorted(question.items()))
    return md5(f"{text}{signing_key}".encode(), usedforsecurity=False).hexdigest()


def read_answer(body: bytes) -> Point | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise GeocoderError("the answer is no JSON") from None
    if not isinstance(answer, dict):
        raise GeocoderError("the answer is no object")
    code = str(answer.get("infocode", ""))
    if code in NOT_FOUND:
        return None
    if answer.get("status") != "1" or code != OK:
        raise GeocoderError(f"AMap answers {code[:10] or 'nothing'}")
    found = answer.get("geocodes")
    # Of several places of one name nobody knows which is meant.
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        return None
    [place] = found
    return None if place.get("level") in TOO_COARSE else read_location(place.get("location"))


def read_location(text: object) -> Point | None:
    """A place written as "120.1,30.3", longitude first; what is missing comes as an empty list."""
    if not isinstance(text, str):
        return None
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError:
        raise GeocoderError("the answer has no coordinates") from None
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise GeocoderError("the answer is no place on the earth")
    return from_gcj02(Point(latitude, longitude))

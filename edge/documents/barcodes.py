"""Barcodes as pictures in pages: Code 128 for what is plain ASCII, else a QR code."""

import base64
import io

import segno
from barcode import Code128
from barcode.writer import SVGWriter

OPTIONS = {"module_width": 0.33, "module_height": 16.0, "quiet_zone": 4.0, "write_text": False}
"""In millimetres; the text stands beside it."""
CODE128_LIMIT = 40
"""Characters; a longer one is too wide for a label."""
QR_SCALE = 4


def fits_code128(text: str) -> bool:
    return text.isascii() and text.isprintable() and 0 < len(text) <= CODE128_LIMIT


def write_picture(text: str) -> str:
    """The barcode of a text as an address that holds the picture."""
    return data_uri(write_code128(text) if fits_code128(text) else write_qr(text))


def write_code128(text: str) -> bytes:
    buffer = io.BytesIO()
    Code128(text, writer=SVGWriter()).write(buffer, OPTIONS)
    return buffer.getvalue()


def write_qr(text: str) -> bytes:
    buffer = io.BytesIO()
    segno.make_qr(text or "-").save(buffer, kind="svg", scale=QR_SCALE)
    return buffer.getvalue()


def data_uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"

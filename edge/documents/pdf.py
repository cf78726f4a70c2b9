"""Documents as PDF files, with the Chinese font that readers of PDF bring along."""

import io
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.code128 import Code128
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from edge.documents.barcodes import fits_code128
from edge.documents.content import LabelContent, Party, TableContent

FONT = "STSong-Light"
LATIN_FONT = "Helvetica"
LAST_OF_LATIN = 0xFF
LAST_OF_UCS2 = 0xFFFF
"""The Chinese font takes two bytes a character: one beyond, such as a smiley, would spoil what follows it."""
UNKNOWN = "〓"
LABEL_SIZE = (100 * mm, 150 * mm)
MARGIN = 4 * mm
TABLE_MARGIN = 15 * mm
LEADING = 1.3
WIDEST_BAR = 0.33 * mm
"""The width of the narrowest bar, where there is room for it."""


@cache
def register_font() -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    return FONT


def runs_of(text: str) -> Iterator[tuple[str, str]]:
    """A text in runs of one font each: Latin letters in one that has all, the rest in the Chinese one."""
    printable = "".join(each if ord(each) <= LAST_OF_UCS2 else UNKNOWN for each in text)
    for is_latin, run in groupby(printable, key=lambda each: ord(each) <= LAST_OF_LATIN):
        yield (LATIN_FONT if is_latin else register_font()), "".join(run)


def measure_text(text: str, size: float) -> float:
    return sum(pdfmetrics.stringWidth(run, font, size) for font, run in runs_of(text))


def wrap_text(text: str, size: float, width: float, lines: int) -> list[str]:
    """A text in lines of at most this width; the last one ends in … where some is left."""
    wrapped, line = list[str](), ""
    for each in text:
        if line and measure_text(line + each, size) > width:
            kept, blank, begun = line.rpartition(" ")
            if not blank or len(kept) < len(line) // 2:
                kept, begun = line, ""
            wrapped.append(kept)
            line = begun
        line += each
    wrapped.append(line)
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], f"{wrapped[lines - 1][:-1]}…"]
    return wrapped


class Pen:
    """Writes lines from the top of a page down."""

    def __init__(self, canvas: Canvas, left: float, top: float, width: float) -> None:
        self.canvas, self.left, self.y, self.width = canvas, left, top, width

    def write(self, text: str, size: float, *, lines: int = 1) -> None:
        for line in wrap_text(text, size, self.width, lines):
            self.y -= size * LEADING
            self.draw(line, size, self.left)

    def write_right(self, text: str, size: float) -> None:
        """A text at the right end of the line that was written last."""
        self.draw(text, size, self.left + self.width - measure_text(text, size))

    def draw(self, text: str, size: float, left: float) -> None:
        for font, run in runs_of(text):
            self.canvas.setFont(font, size)
            self.canvas.drawString(left, self.y, run)
            left += pdfmetrics.stringWidth(run, font, size)

    def rule(self) -> None:
        self.y -= 1.5 * mm
        self.canvas.line(self.left, self.y, self.left + self.width, self.y)

    def barcode(self, text: str, height: float) -> None:
        """The barcode of a text in the middle, as wide as there is room."""
        self.y -= height + 1.5 * mm
        draw_barcode(self.canvas, text, (self.left, self.y, self.width, height))


def draw_barcode(canvas: Canvas, text: str, place: tuple[float, float, float, float]) -> None:
    """Code 128, or a QR code for what that cannot hold, in a place: left, bottom, width and height."""
    left, bottom, width, height = place
    if fits_code128(text):
        narrow = WIDEST_BAR * min(1.0, width / Code128(text, barWidth=WIDEST_BAR).width)
        code = Code128(text, barWidth=narrow, barHeight=height)
        code.drawOn(canvas, left + (width - code.width) / 2, bottom)
        return
    drawing = Drawing(height, height)
    drawing.add(QrCodeWidget(text or "-", barWidth=height, barHeight=height))
    renderPDF.draw(drawing, canvas, left + (width - height) / 2, bottom)


def render_label(label: LabelContent) -> bytes:
    """A label of 100 x 150 mm."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=LABEL_SIZE, invariant=True)
    canvas.setTitle(label.number)
    pen = Pen(canvas, MARGIN, LABEL_SIZE[1] - MARGIN, LABEL_SIZE[0] - 2 * MARGIN)
    pen.write(label.carrier, 14)
    pen.write_right(label.part, 16)
    pen.rule()
    pen.barcode(label.number, 20 * mm)
    pen.write(label.number, 13)
    if label.mother:
        pen.write_right(label.mother, 10)
    pen.rule()
    write_party(pen, label.receiver, 14, lines=5)
    pen.rule()
    write_party(pen, label.sender, 9, lines=2)
    if label.cash:
        pen.rule()
        pen.write(label.cash, 16)
    pen.y = MARGIN + 17 * mm
    draw_barcode(canvas, label.parcel_number, (pen.left, MARGIN + 5 * mm, pen.width, 12 * mm))
    pen.y = MARGIN + 4.5 * mm
    pen.write(label.footer, 9)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def write_party(pen: Pen, party: Party, size: float, *, lines: int) -> None:
    pen.write(party.title, 8)
    pen.write(party.name, size, lines=2)
    if party.phone:
        pen.write(party.phone, size)
    pen.write(party.address, size, lines=lines)


SHARES: dict[int, Sequence[float]] = {3: (0.62, 0.26, 0.12), 5: (0.12, 0.32, 0.2, 0.09, 0.27)}
"""The width of each column of a table with so many, of the whole."""
ROW_SIZE = 10.0
CELL_LINES = 40


def render_table(table: TableContent) -> bytes:
    """A packing slip or pick list on as many pages as it takes."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True)
    canvas.setTitle(f"{table.title} {table.number}")
    pen = begin_table(canvas, table)
    for row in table.rows:
        cells = wrap_cells(row, pen.width)
        needed = max(map(len, cells)) * ROW_SIZE * LEADING
        if pen.y - needed < TABLE_MARGIN:
            canvas.showPage()
            pen = begin_table(canvas, table)
        write_cells(pen, cells)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def begin_table(canvas: Canvas, table: TableContent) -> Pen:
    """The head of a page, with the names of the columns."""
    pen = Pen(canvas, TABLE_MARGIN, A4[1] - TABLE_MARGIN, A4[0] - 2 * TABLE_MARGIN)
    draw_barcode(
        canvas,
        table.number,
        (A4[0] - TABLE_MARGIN - 75 * mm, A4[1] - TABLE_MARGIN - 15 * mm, 75 * mm, 15 * mm),
    )
    pen.write(table.title, 18)
    pen.write(table.number, 12)
    for name, text in table.facts:
        pen.write(f"{name}: {text}", 10, lines=2)
    pen.rule()
    write_cells(pen, wrap_cells(table.columns, pen.width))
    return pen


def wrap_cells(texts: Sequence[str], width: float) -> list[list[str]]:
    shares = SHARES[len(texts)]
    return [
        wrap_text(text, ROW_SIZE, share * width - 2 * mm, CELL_LINES)
        for text, share in zip(texts, shares, strict=True)
    ]


def write_cells(pen: Pen, cells: Sequence[Sequence[str]]) -> None:
    """One row of the table, with a line below."""
    left, top, width, lowest = pen.left, pen.y, pen.width, pen.y
    for lines, share in zip(cells, SHARES[len(cells)], strict=True):
        column = Pen(pen.canvas, left, top, width)
        for line in lines:
            column.write(line, ROW_SIZE)
        lowest, left = min(lowest, column.y), left + share * width
    pen.y = lowest
    pen.rule()

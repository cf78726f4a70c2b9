"""Documents as HTML pages; everything that comes from outside is escaped."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from pathlib import Path

from edge.documents.barcodes import write_picture
from edge.documents.content import LabelContent, Party, TableContent

STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-modals"
)


def render_label_page(label: LabelContent, language: str) -> str:
    header = f"<header><span>{escape(label.carrier)}</span><span>{escape(label.part)}</span></header>"
    mother = f"<p>{escape(label.mother)}</p>" if label.mother else ""
    code, small = write_picture(label.number), write_picture(label.parcel_number)
    cash = f'<p class="cash">{escape(label.cash)}</p>' if label.cash else ""
    body = (
        f'<main class="label">{header}'
        f'<div class="code"><img alt="" src="{code}"><p>{escape(label.number)}</p>{mother}</div>'
        f'<section class="to">{render_party(label.receiver)}</section>{cash}'
        f'<section class="from">{render_party(label.sender)}</section>'
        f'<footer><p>{escape(label.footer)}</p><img alt="" src="{small}"></footer>'
        "</main>"
    )
    return render_document(label.number, body, language)


def render_party(party: Party) -> str:
    phone = f"<p>{escape(party.phone)}</p>" if party.phone else ""
    return (
        f"<p>{escape(party.title)}</p><p><b>{escape(party.name)}</b></p>{phone}<p>{escape(party.address)}</p>"
    )


def render_table_page(table: TableContent, language: str) -> str:
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in table.facts)
    head = render_cells(table.columns, "th")
    rows = "".join(f"<tr>{render_cells(row, 'td')}</tr>" for row in table.rows)
    body = (
        f'<main class="table"><header><div><h1>{escape(table.title)}</h1><p>{escape(table.number)}</p></div>'
        f'<img alt="" src="{write_picture(table.number)}"></header><dl>{facts}</dl>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></main>"
    )
    return render_document(f"{table.title} {table.number}", body, language)


def render_cells(texts: Iterable[str], tag: str) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def render_document(title: str, body: str, language: str) -> str:
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>"
    )

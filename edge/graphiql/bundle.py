"""The files behind the page: which ones, where they come from, and whether all of them are there."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE / "assets"

PACKAGED = {
    "react.production.min.js": "react/umd/react.production.min.js",
    "react-dom.production.min.js": "react-dom/umd/react-dom.production.min.js",
    "graphiql.min.js": "graphiql/graphiql.min.js",
    "graphiql.min.css": "graphiql/graphiql.min.css",
    "explorer.umd.js": "@graphiql/plugin-explorer/dist/index.umd.js",
    "explorer.css": "@graphiql/plugin-explorer/dist/style.css",
}
"""Ready-made files, by the name we serve them under: their place in node_modules."""

OWN = ("page.js", "page.css")
"""Files of this folder that are served as they stand."""

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished build wrote last: the lock it was made from and a digest of each file."""

    lock: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything the page loads, under one version that changes with any of it."""

    version: str
    files: Mapping[str, Path]


def load_bundle(built: Path = BUILT) -> Bundle | None:
    """The files ready to be served; None when they were never built, or only in part."""
    manifest = read_manifest(built)
    if manifest is None or manifest.files.keys() != PACKAGED.keys():
        return None
    own = {name: HERE / name for name in OWN}
    packaged = {name: built / name for name in PACKAGED}
    if not all(path.is_file() for path in packaged.values()):
        return None
    digests = sorted({**manifest.files, **{name: digest(path) for name, path in own.items()}}.items())
    return Bundle(hashlib.sha256(repr(digests).encode()).hexdigest()[:16], {**packaged, **own})


def read_manifest(built: Path) -> Manifest | None:
    try:
        written = json.loads((built / MANIFEST).read_bytes())
        return Manifest(lock=str(written["lock"]), files=dict(written["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_manifest(built: Path, manifest: Manifest) -> None:
    """Appears whole or not at all: until then the build counts as not done."""
    draft = built / f"{MANIFEST}.draft"
    draft.write_text(json.dumps({"lock": manifest.lock, "files": dict(manifest.files)}, indent=2) + "\n")
    draft.replace(built / MANIFEST)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

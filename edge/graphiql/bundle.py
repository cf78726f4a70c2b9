"""The files that the page loads, and the manifest of a build."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ASSETS_FOLDER = FOLDER / "assets"

PACKAGE_FILES = {
    "react.production.min.js": "react/umd/react.production.min.js",
    "react-dom.production.min.js": "react-dom/umd/react-dom.production.min.js",
    "graphiql.min.js": "graphiql/graphiql.min.js",
    "graphiql.min.css": "graphiql/graphiql.min.css",
    "explorer.umd.js": "@graphiql/plugin-explorer/dist/index.umd.js",
    "explorer.css": "@graphiql/plugin-explorer/dist/style.css",
}
"""Files of npm packages: path in node_modules by the name we serve them under."""

OWN_FILES = ("sign_in.js", "page.js", "page.css")
"""Files of this folder, served unchanged."""

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The result of a build: a digest of its lock, and one of each file by name."""

    lock: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Every file of the page by name, and a version that changes with any of them."""

    version: str
    files: Mapping[str, Path]


def load_bundle(built: Path = ASSETS_FOLDER) -> Bundle | None:
    """Return the files to serve; None when they are not built, or not completely."""
    manifest = read_manifest(built)
    if manifest is None or manifest.files.keys() != PACKAGE_FILES.keys():
        return None
    own_files = {name: FOLDER / name for name in OWN_FILES}
    package_files = {name: built / name for name in PACKAGE_FILES}
    if not all(path.is_file() for path in package_files.values()):
        return None
    digests = sorted(
        {**manifest.files, **{name: digest_of(path) for name, path in own_files.items()}}.items()
    )
    return Bundle(hashlib.sha256(repr(digests).encode()).hexdigest()[:16], {**package_files, **own_files})


def read_manifest(built: Path) -> Manifest | None:
    """Return the manifest; None when it is missing or malformed."""
    try:
        content = json.loads((built / MANIFEST).read_bytes())
        return Manifest(lock=str(content["lock"]), files=dict(content["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_manifest(built: Path, manifest: Manifest) -> None:
    """Write the manifest in one step; without it, the page counts as not built."""
    draft = built / f"{MANIFEST}.draft"
    draft.write_text(json.dumps({"lock": manifest.lock, "files": dict(manifest.files)}, indent=2) + "\n")
    draft.replace(built / MANIFEST)


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

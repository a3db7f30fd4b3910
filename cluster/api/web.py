"""The page at `/`: files of this package, read once. Nothing a client sends is taken for a path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePath

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

FOLDER = "/assets/"
SHARED = ("timeline.css", "timeline.js")
"""Files of `coinswarm/report/assets` that the page uses as well."""
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-src 'self'; frame-ancestors 'none'"
)
"""Of the page: scripts and styles are files of this server, and it talks to no other."""
FRAME, FRAME_POLICY = (
    "frame.html",
    (
        "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; "
        "img-src data:; font-src data:; frame-ancestors 'self'"
    ),
)
"""Of the frame that a report is shown in: it runs the report's own script in an origin that can reach nothing."""
_KINDS = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    media_type: str
    tag: str

    @property
    def headers(self) -> dict[str, str]:
        """It may be kept, and is asked for each time whether it is still the same."""
        return {"ETag": self.tag, "Cache-Control": "no-cache", "Content-Security-Policy": POLICY}


@cache
def assets() -> dict[str, Asset]:
    """Every file of the page by its name below the folder, such as `views/jobs.js`; those that reports embed, too, are in `report/`."""
    shared = resources.files("coinswarm.report") / "assets"
    return dict(_found(resources.files("cluster") / "web", "")) | {f"report/{name}": _asset(shared / name) for name in SHARED}


def router() -> APIRouter:
    """The page and its files."""
    made, files = APIRouter(include_in_schema=False), assets()

    @made.get("/")
    async def page(request: Request) -> Response:
        return sent(request, files["index.html"])

    @made.get("/favicon.svg")
    async def icon(request: Request) -> Response:
        return sent(request, files["favicon.svg"])

    @made.get(f"{FOLDER}{{name:path}}")
    async def asset(request: Request, name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        more = {"Content-Security-Policy": FRAME_POLICY, "X-Frame-Options": "SAMEORIGIN"} if name == FRAME else {}
        return sent(request, files[name], more)

    return made


def sent(request: Request, asset: Asset, more: dict[str, str] | None = None) -> Response:
    """A file, or that it has not changed since the client got it; `more` headers go with it."""
    headers = asset.headers | (more or {})
    if request.headers.get("if-none-match") == asset.tag:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def _found(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _found(entry, f"{prefix}{entry.name}/")
        else:
            found.append((f"{prefix}{entry.name}", _asset(entry)))
    return found


def _asset(file: Traversable) -> Asset:
    content = file.read_bytes()
    return Asset(content=content, media_type=_KINDS[PurePath(file.name).suffix], tag=f'"{hashlib.sha256(content).hexdigest()[:32]}"')

"""The description of the API for anyone who asks: `/openapi.json`, and a page of it at `/docs` that needs no script and no other server.

Both say what can be asked and nothing of what is stored here, so they need no token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from html import escape
from typing import Any, TypeAlias

from fastapi import APIRouter, Request, Response

from cluster.api import web

Description: TypeAlias = Mapping[str, Any]
"""An OpenAPI document, or a part of one."""
SCHEMA, FORMER, PAGE = "/openapi.json", "/api/v1/openapi.json", "/docs"
"""Where the description is, where it was alone in earlier releases, and where a person reads it."""
_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>coinswarm API</title><link rel="icon" href="/favicon.svg"><link rel="stylesheet" href="/assets/style.css"></head><body>"""


def router(description: Callable[[], Description]) -> APIRouter:
    """The description of the application and its page, each made once."""
    made = APIRouter(include_in_schema=False)

    @cache
    def schema() -> web.Asset:
        return _asset(json.dumps(description()), "application/json")

    @cache
    def page() -> web.Asset:
        return _asset(html(description()), "text/html; charset=utf-8")

    @made.get(FORMER)
    @made.get(SCHEMA)
    def described(request: Request) -> Response:
        return web.sent(request, schema())

    @made.get(PAGE)
    def read(request: Request) -> Response:
        return web.sent(request, page())

    return made


def _asset(text: str, media_type: str) -> web.Asset:
    content = text.encode()
    return web.Asset(content=content, media_type=media_type, tag=f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def html(description: Description) -> str:
    """A page that lists every operation by subject, with its parameters, body and answers, and every schema."""
    info, schemas = description["info"], description["components"]["schemas"]
    subjects: dict[str, list[str]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            subjects.setdefault(operation.get("tags", ["server"])[0], []).append(_operation(method.upper(), path, operation))
    paragraphs = "".join(f"<p>{_text(part)}</p>" for part in info["description"].split("\n\n"))
    lead = (
        f"<h1>coinswarm API</h1>{paragraphs}"
        f'<p class="note">Version {escape(info["version"])}; for programs: <a href="{SCHEMA}">{SCHEMA}</a>.</p>'
    )
    sections = [f"<section><h2>{escape(subject)}</h2>{''.join(operations)}</section>" for subject, operations in subjects.items()]
    shapes = "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_shape(shape)}</details>'
        for name, shape in sorted(schemas.items())
    )
    return f"{_HEAD}<main>{lead}{''.join(sections)}<section><h2>Schemas</h2>{shapes}</section></main></body></html>"


def _operation(method: str, path: str, operation: Description) -> str:
    parts = [f"<p>{_text(part)}</p>" for part in operation.get("description", "").split("\n\n") if part]
    listed = [_parameter(each) for each in operation.get("parameters", ())]
    if listed:
        parts.append(f"<p>Parameters:</p><ul>{''.join(listed)}</ul>")
    parts += [f"<p>Body: {_links(content)}</p>" for content in [operation.get("requestBody", {})] if content]
    answers = operation["responses"]
    parts += [f"<p>{code}: {_text(said['description'])} {_links(said)}</p>" for code, said in answers.items() if code < "400"]
    problems = ", ".join(f"{code} {_text(said['description'])}" for code, said in answers.items() if code >= "400")
    parts.append(f"<p class=note>Problems: {problems}.</p>" if problems else "")
    summary = f"<code>{method} {escape(path)}</code> {escape(operation.get('summary', ''))}"
    return f"<details><summary>{summary}</summary>{''.join(parts)}</details>"


def _parameter(parameter: Description) -> str:
    schema = {key: value for key, value in parameter["schema"].items() if key not in ("title", "description")}
    said = f"<code>{escape(parameter['name'])}</code> ({parameter['in']}) {_text(parameter.get('description', ''))}"
    return f"<li>{said} <code class=small>{escape(json.dumps(schema))}</code></li>"


def _shape(shape: Description) -> str:
    return f"<p>{_links(shape)}</p><pre>{escape(json.dumps(shape, indent=2))}</pre>"


def _links(part: Description) -> str:
    names = dict.fromkeys(_named(part))
    return ", ".join(f'<a href="#{escape(name)}"><code>{escape(name)}</code></a>' for name in names)


def _named(part: object) -> Iterator[str]:
    """Names of the schemas that a part of the description refers to."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key == "$ref":
                yield str(value).rpartition("/")[2]
            else:
                yield from _named(value)
    elif isinstance(part, list):
        for value in part:
            yield from _named(value)


def _text(text: str) -> str:
    """Text with its code in backquotes."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))

"""Every error as a problem document (RFC 9457): the class decides the status, its attributes fill the document."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException

from coinswarm import errors

MEDIA_TYPE = "application/problem+json"
_SHOWN, _DETAIL = 300, 20_000
_log = logging.getLogger(__name__)


class Mistake(BaseModel):
    """One thing that is wrong with what was sent, and where."""

    where: str
    rule: str
    found: str = ""
    line: int | None = None
    suggestions: list[str] = []


class Problem(BaseModel):
    """A problem document, RFC 9457."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    rule: str = ""
    found: str | None = None
    hint: str = ""
    problems: list[Mistake] = []


_WORDS = {
    400: "the request cannot be read", 401: "authentication required", 403: "the token may not do this", 404: "there is no such thing",
    405: "the method is not allowed here", 408: "the request took too long", 409: "it changed, or another process holds it",
    413: "the body is too large", 415: "the media type is not taken", 422: "invalid request", 429: "too much was asked for",
    503: "something that is needed does not answer", 504: "the answer took too long to compute", 507: "there is no room to store it",
}  # fmt: skip


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents that an endpoint may answer with, for the API's description; some can come from any."""
    schema = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _WORDS[status], "content": schema} for status in sorted({*statuses, 401, 403, 408, 422, 429, 503})}


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem document."""
    app.add_exception_handler(errors.CoinswarmError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unknown)


def of(error: errors.CoinswarmError) -> Problem:
    """The problem document of an error of this project."""
    mistakes = [_mistake(problem) for problem in error.problems] if isinstance(error, errors.BadPlay) else []
    return Problem(
        type=f"urn:coinswarm:error:{type(error).__name__}",
        title=(type(error).__doc__ or "").strip().splitlines()[0],
        status=error.http_status,
        detail=str(error)[:_DETAIL],
        rule=error.rule[:_DETAIL],
        found=None if error.found is None else str(error.found)[:_SHOWN],
        hint=error.hint,
        problems=mistakes,
    )


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem document as a response; text that no encoding has is shown escaped."""
    content = json.dumps(problem.model_dump(), ensure_ascii=True).encode("ascii")
    more = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if problem.status in (429, 503):
        more["Retry-After"] = "1"
    return Response(content, status_code=problem.status, media_type=MEDIA_TYPE, headers={**more, **(headers or {})})


def _mistake(problem: errors.PlayProblem) -> Mistake:
    found = str(problem.found)[:_SHOWN]
    return Mistake(where=problem.path[:_SHOWN], rule=problem.rule, found=found, line=problem.line, suggestions=list(problem.suggestions))


async def _known(_request: Request, error: Exception) -> Response:
    known = error if isinstance(error, errors.CoinswarmError) else errors.CoinswarmError(str(error))
    if known.http_status >= 500:
        _log.warning("%s", known)
    return answer(of(known))


async def _invalid(_request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, (RequestValidationError, ValidationError)) else []
    mistakes = [Mistake(where=".".join(map(str, each["loc"])), rule=str(each["msg"])[:_SHOWN], found=_input(each)) for each in found[:50]]
    rule = f"the request has {len(found)} mistake{'s' if len(found) != 1 else ''}"
    detail = f"{rule}: " + "; ".join(f"{mistake.where}: {mistake.rule}" for mistake in mistakes[:5])
    problem = Problem(type="urn:coinswarm:error:BadInput", title=_WORDS[422], status=422, detail=detail, rule=rule, problems=mistakes)
    return answer(problem)


async def _http(_request: Request, error: Exception) -> Response:
    """What the framework refuses; where it only stumbled over a body that we refused, our reason is the reason."""
    if isinstance(error.__cause__, errors.CoinswarmError):
        return answer(of(error.__cause__), {"Connection": "close"})
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    title = _WORDS.get(status) or HTTPStatus(status).phrase.lower()
    detail = str(error.detail) if isinstance(error, HTTPException) else title
    return answer(Problem(type="about:blank", title=title, status=status, detail=detail), headers)


async def _unknown(_request: Request, error: Exception) -> Response:
    _log.error("an unexpected error", exc_info=error)
    rule = "an unexpected error occurred; the server's log says what"
    return answer(Problem(type="about:blank", title="internal error", status=500, detail=rule, rule=rule))


def _input(mistake: Mapping[str, Any]) -> str:
    given = mistake.get("input")
    return repr(given)[:80] if isinstance(given, (str, int, float, bool)) else ""

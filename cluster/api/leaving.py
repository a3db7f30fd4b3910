"""A client that hangs up has what it asked of the store cancelled: its query would hold a connection and a thread to its end."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coinswarm.ledger.asking import INQUIRY, Inquiry

_READS = ("GET", "HEAD")
"""A change is not cancelled: who sent it wants it done, and may ask later whether it was."""


class Leaving:
    """Lets requests that read through to `app`, and listens meanwhile whether the client is still there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http" or scope["method"] not in _READS:
            await self._app(scope, receive, send)
            return
        inquiry, messages = Inquiry(), asyncio.Queue[Message | Exception](maxsize=1)
        listener = asyncio.create_task(_listen(receive, messages, inquiry))
        before = INQUIRY.set(inquiry)
        try:
            await self._app(scope, lambda: _next(messages), send)
        finally:
            INQUIRY.reset(before)
            listener.cancel()


async def _listen(receive: Receive, messages: asyncio.Queue[Message | Exception], inquiry: Inquiry) -> None:
    """Hand on what the client sends, a piece at a time, and what is raised of it; when it hangs up, tell so as often as it is asked."""
    try:
        while (message := await receive())["type"] != "http.disconnect":
            await messages.put(message)
        await asyncio.to_thread(inquiry.leave)
        while True:
            await messages.put(message)
    except Exception as problem:  # noqa: BLE001 - raised where the message is read
        await messages.put(problem)


async def _next(messages: asyncio.Queue[Message | Exception]) -> Message:
    message = await messages.get()
    if isinstance(message, Exception):
        raise message
    return message

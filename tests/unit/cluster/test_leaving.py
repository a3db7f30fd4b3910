"""Whether a client is still there is listened to beside its request; the request sees all that the client sends, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from cluster.api.leaving import Leaving
from coinswarm import errors
from coinswarm.ledger.asking import INQUIRY, Inquiry

GONE: Message = {"type": "http.disconnect"}
BODY: Message = {"type": "http.request", "body": b"all", "more_body": False}


class Client:
    """Sends messages, or raises, one after the other, and then nothing more."""

    def __init__(self, *messages: Message | Exception) -> None:
        self._messages = list(messages)

    async def receive(self) -> Message:
        if not self._messages:
            await asyncio.Event().wait()
        message = self._messages.pop(0)
        if isinstance(message, Exception):
            raise message
        return message


class App:
    """Waits until its inquiry has left or it has read so much, and keeps what it saw."""

    def __init__(self, reads: int = 0) -> None:
        self._reads = reads
        self.seen: list[Message] = []
        self.inquiry: Inquiry | None = None
        self.cancelled = asyncio.Event()

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        self.inquiry = INQUIRY.get()
        for _ in range(self._reads):
            self.seen.append(await receive())
        if self.inquiry is not None and not self._reads:
            with self.inquiry.asking(self.cancelled.set):
                await asyncio.wait_for(self.cancelled.wait(), 5)


async def _silent(_message: Message) -> None:
    """Send nothing."""


def asked(app: App, client: Client, method: str = "GET") -> App:
    async def run() -> None:
        await asyncio.wait_for(Leaving(app)({"type": "http", "method": method}, client.receive, _silent), 10)

    asyncio.run(run())
    return app


def test_who_hangs_up_has_what_is_asked_cancelled() -> None:
    assert asked(App(), Client(BODY, GONE)).cancelled.is_set()


def test_what_is_sent_is_read_once_and_that_the_client_left_as_often_as_it_is_asked() -> None:
    assert asked(App(reads=3), Client(BODY, GONE)).seen == [BODY, GONE, GONE]


def test_what_is_raised_of_a_request_is_raised_where_it_is_read() -> None:
    with pytest.raises(errors.TooLarge):
        asked(App(reads=1), Client(errors.TooLarge("too large")))


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_change_has_no_asker(method: str) -> None:
    assert asked(App(reads=1), Client(BODY), method).inquiry is None


def test_no_asker_stays_behind() -> None:
    asked(App(reads=1), Client(BODY))
    assert INQUIRY.get() is None


def outcomes(inquiry: Inquiry, calls: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for call in calls:
        with inquiry.asking(call):
            found.append("asked")
    return found


def test_a_question_that_was_answered_is_not_cancelled() -> None:
    inquiry, cancelled = Inquiry(), list[str]()
    assert outcomes(inquiry, [lambda: cancelled.append("first")]) == ["asked"]
    inquiry.leave()
    assert cancelled == []
    with pytest.raises(errors.Cancelled), inquiry.asking(lambda: None):
        pass

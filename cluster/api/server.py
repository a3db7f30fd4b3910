"""The HTTP server: uvicorn with limits on how slowly a client may talk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from cluster.api.context import Limits

_CONNECTIONS = 2000
_SILENT = 500
"""Connections that have sent no request yet; one more costs the oldest of them its place, and no other client's."""
_HEAD_BYTES = 32_768
_KEEP_ALIVE_S = 15
_STOP_S = 5
_ODD_LINES = re.compile(rb"(?<!\r)\n|\r[^\n]|\n[ \t]")
"""Ends of lines that servers and proxies read differently: a bare LF, a bare CR, a header folded over two lines."""
_LATE = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class StrictProtocol(H11Protocol):
    """Refuses a head that a proxy may read in another way: one of its clients could put a request into another's mouth."""

    def handle_events(self) -> None:
        """Look at a head before it is parsed."""
        if self.conn.their_state is h11.IDLE and is_ambiguous(self.conn.trailing_data[0]):
            self.send_400_response("The head of a request must have lines that end with CR LF, and one length")
        else:
            super().handle_events()


def patient_protocol(header_s: float) -> type[H11Protocol]:
    """A protocol that hangs up on a client which takes longer than `header_s` seconds to send the head of a request.

    Where more than `_SILENT` have sent none, it hangs up on the one that is silent for longest.
    """
    silent: dict[H11Protocol, Callable[[], None]] = {}

    class Protocol(StrictProtocol):
        """See `patient_protocol`."""

        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._late = self.loop.call_later(header_s, self._hang_up)
            silent[self] = self._hang_up
            if len(silent) > _SILENT:
                next(iter(silent.values()))()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._forget()
            elif self._late is None and self.conn.trailing_data[0]:
                self._late = self.loop.call_later(header_s, self._hang_up)

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def _forget(self) -> None:
            silent.pop(self, None)
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _hang_up(self) -> None:
            self._forget()
            if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
                self.transport.write(_LATE)
                self.transport.close()

    return Protocol


def is_ambiguous(begun: bytes) -> bool:
    """Whether what has come of a request has a head that can be read in two ways: by its ends of lines, or by two lengths of its body."""
    head = begun.partition(b"\r\n\r\n")[0]
    lower = head.lower()
    return bool(_ODD_LINES.search(head)) or (b"\ncontent-length:" in lower and b"\ntransfer-encoding:" in lower)


def server(app: FastAPI, host: str, port: int, limits: Limits) -> uvicorn.Server:
    """A server that is ready to run; port 0 takes any that is free."""
    return uvicorn.Server(
        uvicorn.Config(
            app, host=host, port=port, http=patient_protocol(limits.header_s), ws="none", lifespan="on", log_config=None, access_log=False,
            limit_concurrency=_CONNECTIONS, timeout_keep_alive=_KEEP_ALIVE_S, h11_max_incomplete_event_size=_HEAD_BYTES,
            timeout_graceful_shutdown=_STOP_S, server_header=False, date_header=True, backlog=512, proxy_headers=False,
        )
    )  # fmt: skip

"""A watch over the embedded PostgreSQL: whoever works with it for long starts it again when it dies."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.store import embedded
from coinswarm import errors

_log = logging.getLogger(__name__)
LOOK_S = 1.0
_LONGEST_PAUSE_S = 30.0


class Keeper:
    """Keeps the server of a folder running for the length of a `with`.

    It is looked at every second. One that died is started again, at its port; when that fails, again after pauses that double up to half a
    minute. One that was stopped on purpose stays stopped, and any number of processes may keep the same server.

    Args:
        folder: of the server.
        tell: hears that it died and that it is back.
        look_s: seconds between two looks.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None], *, look_s: float = LOOK_S) -> None:
        self._folder, self._tell, self._look_s = folder, tell, look_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper of the database", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join(self._look_s + 1.0)

    def _keep(self) -> None:
        pause_s = self._look_s
        while not self._stopped.wait(pause_s):
            well = not embedded.has_died(self._folder) or self._revived()
            pause_s = self._look_s if well else min(2 * pause_s, _LONGEST_PAUSE_S)

    def _revived(self) -> bool:
        try:
            embedded.ensure(self._folder)
        except errors.CoinswarmError as problem:
            _log.warning("the embedded database died and does not start: %s", problem)
            return False
        _log.warning("the embedded database had died and was started again")
        self._tell("the embedded database had died; it was started again")
        return True

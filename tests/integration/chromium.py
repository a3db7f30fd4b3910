"""A real headless Chromium, driven over a pipe by the DevTools protocol: what it complains of and whom it asks is kept."""

from __future__ import annotations

import base64
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_S = 120.0
"""Nothing here takes that long; it only keeps a broken page from holding everything up."""
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip
# the browser reads commands from descriptor 3 and writes to 4, wherever the pipes are
_MOVE = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3), os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def program() -> str | None:
    """Where a Chromium is; None: nowhere."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


class BrokenPageError(AssertionError):
    """The page did not come to the state that was waited for."""


class Tab:
    """One page of a browser."""

    def __init__(self, call: Callable[..., dict[str, Any]], session: str) -> None:
        self._call, self._session = call, session
        self.complaints: list[str] = []
        self.asked: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """What a command answers."""
        return self._call(method, self._session, **params)

    def heard(self, method: str, params: dict[str, Any]) -> None:
        """Keep what an event tells of errors and of requests."""
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(value.get("value", value.get("description"))) for value in params["args"]))
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])

    def size(self, width: int, height: int = 900, scheme: str = "light") -> None:
        """Make the window so many CSS pixels wide, in a light or dark scheme."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url: str) -> None:
        """Go to an address."""
        self.send("Page.navigate", url=url)

    def see(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrokenPageError(f"{script}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until an expression is true."""
        script = f"""new Promise((done, late) => {{
            const until = performance.now() + {PATIENCE_S * 1000};
            const look = () => {{
                if ({condition}) done(true);
                else if (performance.now() > until) late(new Error("never came"));
                else setTimeout(look, 50);
            }};
            look();
        }})"""
        try:
            self.see(script)
        except BrokenPageError as error:
            raise BrokenPageError(f"{condition} never came; the page says: {self.text()[:2000]}; complaints: {self.complaints}") from error

    def text(self, selector: str = "body") -> str:
        """The text of an element as a person sees it."""
        return str(self.see(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def click(self, selector: str) -> None:
        """Press what a selector finds."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        self.see(f"void document.querySelector({json.dumps(selector)}).click()")

    def write(self, selector: str, text: str) -> None:
        """Put text into a field."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        self.see(f"void (document.querySelector({json.dumps(selector)}).value = {json.dumps(text)})")

    def picture(self, path: Path, *, whole: bool = True, most: int = 4000) -> None:
        """Save what the page looks like as a PNG; `whole`: all of it, at most so many pixels of its height."""
        more: dict[str, Any] = {}
        if whole:
            page = self.send("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": page["width"], "height": min(page["height"], most), "scale": 1}
            more = {"captureBeyondViewport": True, "clip": clip}
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png", **more)["data"]))


class Browser:
    """A running browser; its tabs are told what happens in them."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._tabs: dict[str, Tab] = {}
        self._number = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def ended(self) -> None:
        """Wait for the last that the browser says; it has been told to go."""
        self._listener.join()

    def tab(self) -> Tab:
        """A fresh page in a context of its own: nothing is kept from another."""
        context = self._call("Target.createBrowserContext")["browserContextId"]
        target = self._call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        made = Tab(self._call, session)
        self._tabs[session] = made
        return made

    def _call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        self._number += 1
        number, answer = self._number, queue.Queue[dict[str, Any]]()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self._send, json.dumps(message).encode() + b"\0")
        found = answer.get(timeout=PATIENCE_S + 30)
        if "error" in found:
            raise BrokenPageError(f"{method}: {found['error']}")
        result: dict[str, Any] = found["result"]
        return result

    def _listen(self) -> None:
        rest = b""
        while chunk := os.read(self._receive, 1 << 16):
            *messages, rest = (rest + chunk).split(b"\0")
            for message in messages:
                self._heard(json.loads(message))
        os.close(self._receive)

    def _heard(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers.pop(message["id"]).put(message)
        elif (tab := self._tabs.get(message.get("sessionId", ""))) is not None:
            tab.heard(message["method"], message["params"])


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser with a profile of its own.

    Raises:
        FileNotFoundError: no Chromium is installed.
    """
    found = program()
    if found is None:
        raise FileNotFoundError("no Chromium is installed")
    there, send = os.pipe()
    receive, back = os.pipe()
    command = [sys.executable, "-c", _MOVE, str(there), str(back), found, *FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(command, pass_fds=(there, back), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(there)
    os.close(back)
    running = Browser(send, receive)
    try:
        yield running
    finally:
        os.close(send)
        process.terminate()
        process.wait(30)
        running.ended()

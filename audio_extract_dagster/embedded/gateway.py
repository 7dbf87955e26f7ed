"""The notification gateway for development: takes messages as the contact centre's does.

Each message becomes an HTML file to look at. Nothing is sent to anybody.
"""

from __future__ import annotations

import html
import json
import logging
import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from audio_extract_dagster.clock import Clock, SystemClock

_log = logging.getLogger(__name__)

_FIELDS = {"title", "subject", "priority", "htmlContent", "to"}


class Gateway:
    """An HTTP server on loopback that writes what is posted to it into `folder`.

    `answer` is a switch for tests: a status that every request gets, without anything being kept.
    """

    def __init__(self, folder: Path, *, port: int = 0, clock: Clock | None = None) -> None:
        """`port` 0 takes a free one."""
        self.answer: int | None = None
        self._folder = folder
        self._clock = clock or SystemClock()
        self._port = port
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Start to listen; returns the URL to post to."""
        handler = type("Handler", (_Handler,), {"gateway": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self.url

    @property
    def url(self) -> str:
        """Where to post. The gateway must have been started."""
        if self._server is None:
            raise RuntimeError("the gateway is not running")
        return f"http://127.0.0.1:{self._server.server_address[1]}/messages"

    def stop(self) -> None:
        """Stop listening. What was taken stays."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Gateway:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def take(self, body: bytes) -> tuple[int, dict[str, str]]:
        """Keep a message; the status and the body of the answer."""
        if self.answer is not None:
            return self.answer, {"message": "as the switch says"}
        try:
            message = json.loads(body)
        except ValueError:
            return HTTPStatus.BAD_REQUEST, {"message": "not JSON"}
        if fault := _fault(message):
            return HTTPStatus.BAD_REQUEST, {"message": fault}
        path = self._write(message)
        _log.info("Message %r is in %s", message["subject"], path)
        return HTTPStatus.CREATED, {"messageId": path.stem}

    def _write(self, message: dict[str, Any]) -> Path:
        """Write a page named by the time and the subject, so that a folder's listing tells both."""
        self._folder.mkdir(parents=True, exist_ok=True)
        slug = re.sub(r"\W+", "-", message["subject"]).strip("-").lower()[:60]
        while True:
            path = self._folder / f"{self._clock.now():%Y%m%dT%H%M%S%f}-{slug}.html"
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(_page(message))
            except FileExistsError:
                continue  # the very microsecond
            return path


def _fault(message: object) -> str | None:
    """What is wrong with a message; None if it is as the gateway's contract says."""
    if not isinstance(message, dict) or set(message) != _FIELDS:
        return f"exactly these fields are needed: {', '.join(sorted(_FIELDS))}"
    texts = [message[name] for name in ("title", "subject", "htmlContent")]
    if not all(isinstance(text, str) and text for text in texts):
        return "title, subject and htmlContent must be text"
    if message["priority"] != "sendinblue":
        return 'priority must be "sendinblue"'
    to = message["to"]
    if not isinstance(to, list) or not to or not all(map(_is_recipient, to)):
        return 'to must be a list of {"name", "email"}'
    return None


def _is_recipient(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == {"name", "email"}
        and isinstance(entry["name"], str)
        and isinstance(entry["email"], str)
        and "@" in entry["email"]
    )


def _page(message: dict[str, Any]) -> str:
    to = ", ".join(recipient["email"] for recipient in message["to"])
    return (
        '<!doctype html>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(message['subject'])}</title>\n"
        f"<p><b>{html.escape(message['title'])}</b><br>To: {html.escape(to)}<br>"
        f"Subject: {html.escape(message['subject'])}</p>\n<hr>\n{message['htmlContent']}\n"
    )


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            self._reply(HTTPStatus.LENGTH_REQUIRED, {"message": "Content-Length is needed"})
            return
        self._reply(*self.gateway.take(self.rfile.read(int(length))))

    def _reply(self, status: int, answer: dict[str, str]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: `take` logs what matters."""

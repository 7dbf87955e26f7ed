"""A notification gateway and a mail server on loopback that remember what they were given."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class HttpGatewayServer:
    """`statuses` are answered in turn, the last one for ever; `gate` holds answers back.

    `asked` counts the messages that have come. One with a subject among `poison` is always answered
    with 500.
    """

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[dict[str, Any]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gate: threading.Event | None = None
    poison: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/s3cret-path?key=s3cret"

    def status(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextlib.contextmanager
def http_gateway() -> Iterator[HttpGatewayServer]:
    state = HttpGatewayServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.received.append(json.loads(body))
            state.methods.append("POST")
            state.asked.release()
            if state.gate is not None:
                state.gate.wait(10)
            poison = state.received[-1]["subject"] in state.poison
            self._answer(500 if poison else state.status())

        def do_HEAD(self) -> None:
            state.methods.append("HEAD")
            self._answer(state.status())

        def do_GET(self) -> None:
            state.methods.append("GET")
            self._answer(200)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    with _running(server):
        yield state


@dataclass
class MailServer:
    """Speaks as much SMTP as a client needs; `reply` is its answer to those that are `unwanted`."""

    port: int = 0
    reply: str = "550 no such box"
    unwanted: set[str] = field(default_factory=set)
    mails: list[Mail] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    state = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "RCPT":
                    recipient = line.partition("<")[2].partition(">")[0]
                    state.recipients.append(recipient)
                    self._say(state.reply if recipient in state.unwanted else "250 OK")
                elif verb == "DATA":
                    self._say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    state.mails.append(message_from_bytes(b"".join(lines)))
                    self._say("250 OK")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 OK")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    with _running(server):
        yield state


@contextlib.contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

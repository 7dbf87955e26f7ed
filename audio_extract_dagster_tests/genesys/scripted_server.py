"""A real HTTP server on loopback that plays back what a test wrote down, faults included."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal


@dataclass(frozen=True)
class Answer:
    """`body`: bytes as they are, anything else as JSON. `fault`: how the connection fails.

    `reset`: closed without an answer, after the request was read. `truncated`: closed in the middle
    of the body. `hangs`: no answer until the server stops.
    """

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Literal["reset", "truncated", "hangs"] | None = None

    @property
    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: tuple[str, int]


Reaction = Answer | Callable[[Received], Answer]

RESET = Answer(fault="reset")


class ScriptedServer:
    """Answers each path with its script in turn, and with the script's last answer from then on.

    Its port is taken at once; it listens from `start` on, and refuses connections before.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.stopping = threading.Event()
        self._scripts: dict[str, list[Reaction]] = defaultdict(list)
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self._server.server_bind()
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._server.scripted = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.script("/oauth/token", token("token-1"))

    def start(self) -> None:
        self._server.server_activate()
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def script(self, path: str, *reactions: Reaction) -> None:
        """Replaces what was written down for `path`."""
        with self._lock:
            self._scripts[path] = list(reactions)

    def take(self, request: Received) -> Answer:
        with self._lock:
            self.received.append(request)
            script = self._scripts[request.path]
            if not script:
                return Answer(404, {"code": "not.found", "status": 404})
            reaction = script.pop(0) if len(script) > 1 else script[0]
        return reaction if isinstance(reaction, Answer) else reaction(request)

    def paths(self) -> list[str]:
        return [request.path for request in self.received]

    def __enter__(self) -> ScriptedServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def token(value: str, expires_in: object = 86399) -> Answer:
    body = {"access_token": value, "token_type": "bearer", "expires_in": expires_in}
    return Answer(200, body)


def unused_port() -> int:
    """A port that refuses connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    scripted: ScriptedServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that hang up are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together, or each request waits 40 ms for the kernel
    server: _Server

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(
            self.command, self.path, headers, body, (self.client_address[0], self.client_address[1])
        )
        answer = self.server.scripted.take(request)
        if answer.fault == "hangs":
            self.server.scripted.stopping.wait()
        if answer.fault in ("reset", "hangs"):
            self._abort()
            return
        content = answer.bytes
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if answer.fault else content)
        if answer.fault:
            self._abort()

    do_GET = do_POST = do_CONNECT = _answer  # noqa: N815 - the names that http.server looks up

    def _abort(self) -> None:
        """Close with a reset instead of a polite end."""
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test reads `received`."""

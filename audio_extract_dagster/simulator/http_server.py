"""HTTP on loopback, down to the socket: so that connections can be reset and bodies cut short.

What is answered is decided in `pipeline.py`. One thread per connection, keep-alive, each reply in
one write.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import threading
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from audio_extract_dagster.simulator.messages import Reply, Request, ResetConnection

log = logging.getLogger(__name__)

Answer = Callable[[Request], Reply]


class Server(ThreadingHTTPServer):
    """Serves `answer` on 127.0.0.1 until `stop`, which also ends the connections that are open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024
    allow_reuse_address = True

    def __init__(self, port: int, answer: Answer) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), name="genesys-simulator", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("a connection was already closed")

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - inherited
        """A client that goes away in the middle is no error of the simulator."""
        log.debug("the connection of %s ended early", client_address, exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        """Read one request, answer it, or end the connection."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        try:
            reply = self._answer()
        except ResetConnection:
            self._reset()
            return
        except ConnectionError:
            raise  # the client is gone
        except Exception:
            path = self.path.partition("?")[0]
            log.exception("the simulator failed on %s %s", self.command, path)
            self.close_connection = True
            reply = Reply(500, b"the simulator failed: see its log", "text/plain")
        self._send(reply)

    def log_message(self, format: str, *args: object) -> None:
        log.debug(format, *args)

    def _answer(self) -> Reply:
        path, _, query = self.path.partition("?")
        self.correlation_id = str(uuid.uuid4())
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        return self.server.answer(
            Request(self.command, path, query, headers, body, self.correlation_id)
        )

    def _send(self, reply: Reply) -> None:
        try:
            phrase = HTTPStatus(reply.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [
            f"HTTP/1.1 {reply.status} {phrase}",
            f"Date: {self.date_time_string()}",
            f"ININ-Correlation-Id: {self.correlation_id}",
            *(f"{name}: {value}" for name, value in reply.headers.items()),
        ]
        if reply.status != HTTPStatus.NO_CONTENT:
            lines += [f"Content-Type: {reply.content_type}", f"Content-Length: {len(reply.body)}"]
        body = b"" if self.command == "HEAD" else reply.body
        if reply.sent is not None:
            body = body[: reply.sent]
            self.close_connection = True
        self.connection.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        if reply.stall:
            time.sleep(reply.stall)

    def _reset(self) -> None:
        """End the connection with RST: closing with a linger time of zero discards what is queued.

        The descriptor is closed here: left to the socket server, the connection would first be shut
        down in an orderly way.
        """
        self.close_connection = True
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        socket.close(self.connection.detach())

"""A file host on loopback that answers each path by a script, well or badly.

Bare sockets, because the faults are below HTTP: a connection that is reset, a body that stops.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

#: Answers one request; False when the connection is not to be used again.
Answer = Callable[["FileServer", socket.socket], bool]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    connection: int


class FileServer:
    """Runs while the `with` block does. The last answer of a script is repeated."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._scripts: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self._server.tls = tls
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def link(self, path: str, *answers: Answer) -> str:
        """Script a path, and give the signed link that leads there."""
        self._scripts[path] = list(answers)
        scheme = "https" if self._server.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}{path}?X-Amz-Signature=s3cret"

    def answer_to(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            script = self._scripts.get(request.path.partition("?")[0], [status(404)])
            return script.pop(0) if len(script) > 1 else script[0]

    def __enter__(self) -> FileServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    owner: FileServer
    tls: ssl.SSLContext | None


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        owner = self.server.owner
        with (
            contextlib.suppress(OSError),
            self._connection() as connection,
            connection.makefile("rb") as reader,
        ):
            while (request := _read_request(reader, id(connection))) is not None:
                answer = owner.answer_to(request)
                if not answer(owner, connection):
                    break

    def _connection(self) -> socket.socket:
        if self.server.tls is None:
            plain: socket.socket = self.request
            return plain
        return self.server.tls.wrap_socket(self.request, server_side=True)


def _read_request(reader: BinaryIO, connection: int) -> Request | None:
    first = reader.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while line := reader.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(first[0], first[1], headers, connection)


def _head(code: int, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {code} Reason\r\n{lines}\r\n".encode()


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """Any answer; `retry_after="3"` becomes a header."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}

    def answer(_: FileServer, connection: socket.socket) -> bool:
        connection.sendall(_head(code, {"Content-Length": str(len(body)), **named}) + body)
        return True

    return answer


def file(content: bytes, content_type: str = "audio/ogg") -> Answer:
    return status(200, content, content_type=content_type)


def truncated(content: bytes, missing: int) -> Answer:
    """Announces all of it, sends less, hangs up politely."""

    def answer(_: FileServer, connection: socket.socket) -> bool:
        head = _head(200, {"Content-Length": str(len(content))})
        connection.sendall(head + content[: len(content) - missing])
        return False

    return answer


def reset(after: bytes = b"") -> Answer:
    """Sends some of an answer, then an RST."""

    def answer(_: FileServer, connection: socket.socket) -> bool:
        connection.sendall(after)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    return answer


def stall(content: bytes, sent: int) -> Answer:
    """Sends the beginning and then nothing, for as long as the server lives."""

    def answer(server: FileServer, connection: socket.socket) -> bool:
        connection.sendall(_head(200, {"Content-Length": str(len(content))}) + content[:sent])
        server.stopping.wait(30)
        return False

    return answer


def drip(content: bytes) -> Answer:
    """Sends a byte now and then, as long as the server lives."""

    def answer(server: FileServer, connection: socket.socket) -> bool:
        connection.sendall(_head(200, {"Content-Length": str(len(content))}))
        for byte in content[:300]:
            connection.sendall(bytes([byte]))
            if server.stopping.wait(0.1):
                break
        return False

    return answer


def chunked(content: bytes, *, whole: bool = True) -> Answer:
    """A body without a length; not `whole` leaves out its end."""

    def answer(_: FileServer, connection: socket.socket) -> bool:
        body = b"".join(
            b"%x\r\n%s\r\n" % (len(content[i : i + 999]), content[i : i + 999])
            for i in range(0, len(content), 999)
        )
        end = b"0\r\n\r\n" if whole else b""
        connection.sendall(_head(200, {"Transfer-Encoding": "chunked"}) + body + end)
        return whole

    return answer

"""A static file server that is quicker than anything that downloads from it.

One thread, one reply in memory, keep-alive: `python -m benchmarks.file_server --size 300000`.
Prints its URL; every path below it is the same WAV file. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import click

from audio_extract_dagster.simulator.audio.wav import render_size


class _Connection(asyncio.Protocol):
    def __init__(self, reply: bytes, latency: float) -> None:
        self._reply = reply
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            self._received = self._received.partition(b"\r\n\r\n")[2]
            asyncio.get_running_loop().call_later(self._latency, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._reply)


async def _serve(size: int, latency_ms: float) -> None:
    body = render_size("benchmark", size)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: {len(body)}\r\n\r\n"
    reply = head.encode() + body
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(reply, latency_ms / 1000), "127.0.0.1", 0, backlog=1024
    )
    port = server.sockets[0].getsockname()[1]
    click.echo(f"http://127.0.0.1:{port}/")
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@click.command(help=__doc__)
@click.option("--size", type=int, default=300_000, show_default=True, help="Bytes, even.")
@click.option("--latency-ms", type=float, default=0.0, show_default=True)
def main(size: int, latency_ms: float) -> None:
    asyncio.run(_serve(size, latency_ms))


if __name__ == "__main__":
    main()

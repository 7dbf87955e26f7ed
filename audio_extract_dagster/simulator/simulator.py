"""The simulator as an object: start it, point a client at its `url`, stop it."""

from __future__ import annotations

from audio_extract_dagster.clock import Clock, SystemClock
from audio_extract_dagster.simulator.batches import Batches, Submission
from audio_extract_dagster.simulator.faults import Faults
from audio_extract_dagster.simulator.http_server import Server
from audio_extract_dagster.simulator.messages import Reply, Request
from audio_extract_dagster.simulator.model import Source
from audio_extract_dagster.simulator.org import Client, Counters, Org
from audio_extract_dagster.simulator.pipeline import answer
from audio_extract_dagster.simulator.routed_request import Services
from audio_extract_dagster.simulator.search import Search
from audio_extract_dagster.simulator.switches import Switches


class Simulator:
    """Genesys Cloud on loopback: login, API and file host on one port.

    Any client id and secret may log in, unless both are given. What it answers follows from the
    source and the switches; the clock decides what has happened by now, when links and tokens
    expire and how far batches are. A stopped simulator can be started again; its jobs and counters
    last as long as the object.
    """

    def __init__(
        self,
        source: Source,
        *,
        clock: Clock | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        port: int = 0,
        switches: Switches | None = None,
    ) -> None:
        if (client_id is None) != (client_secret is None):
            raise ValueError("give both client_id and client_secret, or neither")
        client = Client(client_id, client_secret) if client_id and client_secret else None
        self.source = source
        self.switches = Switches() if switches is None else switches
        self._org = Org(source, clock or SystemClock(), self.switches, client)
        self._services = Services(self._org, Search(source), Batches(self._org))
        self._port = port
        self._server: Server | None = None

    def start(self) -> Simulator:
        """Listen; returns itself. `port` 0 takes a free one."""
        if self._server is None:
            self._server = Server(self._port, self._answer)
            self._port = self._server.port  # a restart comes back where its clients look for it
            self._org.base_url = self.url
            self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening and end every open connection."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Login and API base URL, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("the simulator is not running: call start() first")
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def counters(self) -> Counters:
        """Requests by operation, and files by recording."""
        return self._org.counters

    @property
    def faults(self) -> Faults:
        """The scripted faults: `simulator.faults.add(Fault("download", "truncate"))`."""
        return self._org.faults

    @property
    def log(self) -> list[Submission]:
        """Every batch job so far, in order, with the items it was asked for."""
        return self._services.batches.submissions

    def revoke_tokens(self) -> int:
        """Void all tokens; returns how many there were."""
        return self._org.tokens.revoke_all()

    def finish_uploads(self) -> None:
        """Whatever is uploading or restoring is available from now on."""
        self._org.finish_uploads()

    def _answer(self, request: Request) -> Reply:
        return answer(self._services, request)

"""The operations of the Genesys Cloud API that the project uses, one method each.

Here are the paths, and what a 404 means for each. The wire format is in `bodies.py` and `wire.py`;
patience, pacing and login are in `exchange.py` and what it uses. What to do with the answers is the
business of whoever calls.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

from audio_extract_dagster.clock import Clock
from audio_extract_dagster.genesys import bodies, wire
from audio_extract_dagster.genesys.errors import (
    BadRequest,
    NotFound,
    NotPermitted,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster.genesys.exchange import Exchange
from audio_extract_dagster.genesys.login import ClientCredentials, Login
from audio_extract_dagster.genesys.model import (
    BatchJobStatus,
    ConversationPage,
    RecordingMetadata,
)
from audio_extract_dagster.genesys.pacing import RequestBudget
from audio_extract_dagster.genesys.policy import DEFAULT_POLICY, RetryPolicy
from audio_extract_dagster.genesys.transport import Request, Transport
from audio_extract_dagster.genesys.usage import Usage, UsageMeter

T = TypeVar("T")

MAX_PAGE_SIZE = 100
MAX_BATCH_SIZE = 100

_NOBODY = "00000000-0000-4000-8000-000000000000"

_log = logging.getLogger(__name__)


class GenesysClient:
    """A client of one organization; thread-safe, with one token and one budget for all threads.

    `login_url` and `api_url` are full base URLs; plain http is accepted for loopback only (else
    `Never`). Proxy and certificates are taken from the environment once, here. Every method raises
    a `GenesysError`; the families of `audio_extract_dagster.errors` say what to do about it.
    """

    def __init__(
        self,
        login_url: str,
        api_url: str,
        client_id: str,
        client_secret: str,
        *,
        budget: RequestBudget,
        clock: Clock,
        policy: RetryPolicy = DEFAULT_POLICY,
        rng: random.Random | None = None,
    ) -> None:
        self._meter = UsageMeter()
        self._clock = clock
        self._exchange = Exchange(policy, budget, clock, rng or random.Random(), self._meter)  # noqa: S311 - jitter
        self._login_transport = Transport(login_url, "GENESYS_CLOUD_LOGIN_URL", policy)
        self._api_transport = Transport(api_url, "GENESYS_CLOUD_API_URL", policy)
        self._login = Login(
            self._exchange,
            self._login_transport,
            ClientCredentials(client_id, client_secret),
            clock,
            policy.token_share,
        )

    def close(self) -> None:
        """Close all connections."""
        self._login_transport.close()
        self._api_transport.close()

    def __enter__(self) -> GenesysClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def usage(self) -> Usage:
        """Requests and waits so far."""
        return self._meter.snapshot()

    def query_conversations(
        self,
        start: datetime,
        end: datetime,
        queue_ids: Sequence[str],
        page_number: int,
        page_size: int = MAX_PAGE_SIZE,
    ) -> ConversationPage:
        """A page (from 1) of the voice conversations of the queues, or of all without queue ids.

        In order of their start. Genesys may add conversations that started before `start` on the
        same UTC day, or that run on after `end`; the page after the last one is empty.
        """
        body = bodies.details_query(start, end, queue_ids, page_number, page_size)
        path = "/api/v2/analytics/conversations/details/query"
        request = Request("details_query", "POST", path, body)
        return self._call(request, wire.read_conversation_page)

    def recording_metadata(self, conversation_id: str) -> list[RecordingMetadata]:
        """What Genesys knows of a conversation's recordings; for "none" it says [] or 404."""
        path = "/api/v2/conversations/{}/recordingmetadata"
        try:
            return self._get("metadata", path, conversation_id, wire.read_recording_metadata)
        except NotFound:
            return []

    def submit_batch(self, conversation_ids: Sequence[str]) -> str:
        """Order all recordings of 1 to 100 conversations: the job's id, or SubmissionUncertain.

        Each order makes a job and there is no list of jobs, so the order is sent again only when
        Genesys surely did not take it (see `exchange.py`).
        """
        if not 1 <= len(conversation_ids) <= MAX_BATCH_SIZE:
            raise ValueError(f"a batch has 1 to {MAX_BATCH_SIZE} conversations")
        body = bodies.batch_request(conversation_ids)
        path = "/api/v2/recording/batchrequests"
        request = Request("batch_submit", "POST", path, body, once=True)
        return self._call(request, wire.read_batch_id)

    def batch_status(self, job_id: str) -> BatchJobStatus:
        """A job and its results so far. NotFound: over, unknown, or of another OAuth client."""
        path = "/api/v2/recording/batchrequests/{}"
        return self._get("batch_poll", path, job_id, wire.read_batch_status)

    def link_lifetime(self) -> timedelta:
        """How long a result's link can be used: a setting of the organization, 2 to 60 minutes.

        Where it cannot be read, the shortest is assumed: that costs some polls, while assuming the
        documented default of 60 minutes could cost the audio, and giving up would cost the day.
        Raised is what meets every call: a login that is refused, a long wait that Genesys asks for.
        """
        request = Request("settings", "GET", "/api/v2/recording/settings")
        try:
            return self._call(request, wire.read_link_lifetime)
        except (NotPermitted, NotFound, BadRequest, UnreadableAnswer, Unavailable) as error:
            lifetime = wire.SHORTEST_LINK_LIFETIME
            _log.warning("%s; links are taken to live %s", error.summary, lifetime)
            return lifetime

    def organization_name(self) -> str:
        """The organization of the OAuth client; needs no permission, so it proves the login."""
        return self._call(
            Request("organization", "GET", "/api/v2/organizations/me"), wire.read_name
        )

    def queue_name(self, queue_id: str) -> str | None:
        """A queue's name; None if there is no such queue, or none that this client may see."""
        try:
            return self._get("queue", "/api/v2/routing/queues/{}", queue_id, wire.read_name)
        except NotFound:
            return None

    def check_analytics_permission(self) -> None:
        """Raises NotPermitted if conversations may not be listed: one hit of the last minute."""
        now = self._clock.now()
        self.query_conversations(now - timedelta(minutes=1), now, (), page_number=1, page_size=1)

    def check_recording_permission(self) -> None:
        """Raises NotPermitted if recordings may not be read.

        Asks for the metadata of a conversation that does not exist: the permission is the one that
        batches need, and nothing is ordered. Whether the client's divisions cover a conversation
        can only be seen on a real one.
        """
        self.recording_metadata(_NOBODY)

    def _get(self, operation: str, path: str, identifier: str, read: Callable[[bytes], T]) -> T:
        """A GET with an id in its path. Raises NotFound for what cannot be an id on any server.

        Ids come from outside: one must not lead to another path, and HTTP libraries resolve `.` and
        `..` even when they are percent-encoded.
        """
        if identifier in ("", ".", ".."):
            raise NotFound("not an id", f"GET {path}")
        encoded = quote(identifier, safe="", errors="surrogatepass")
        return self._call(Request(operation, "GET", path.format(encoded)), read)

    def _call(self, request: Request, read: Callable[[bytes], T]) -> T:
        return self._exchange.call(request, self._api_transport, self._login, read)

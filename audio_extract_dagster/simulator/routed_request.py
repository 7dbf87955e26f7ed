"""What a route's handler gets: the request it has to answer, and the org that answers it."""

from __future__ import annotations

from dataclasses import dataclass

from audio_extract_dagster.simulator.batches import Batches
from audio_extract_dagster.simulator.messages import Request
from audio_extract_dagster.simulator.org import Org
from audio_extract_dagster.simulator.search import Search
from audio_extract_dagster.simulator.tokens import Token


@dataclass(frozen=True, slots=True)
class Services:
    """One org and what it can do."""

    org: Org
    search: Search
    batches: Batches


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """A request that may be answered; `arguments` are the variable parts of its path, decoded."""

    services: Services
    request: Request
    arguments: tuple[str, ...]
    token: Token | None  # None where none is needed

    @property
    def org(self) -> Org:
        return self.services.org

    @property
    def client_id(self) -> str:
        return self.token.client_id if self.token else ""

"""Every path that the simulator answers, and which operation each one is.

Handlers are functions `(routed) -> Reply`, grouped by the part of the API they belong to.
What happens around them (tokens, limits, faults) is in `pipeline.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from audio_extract_dagster.simulator.messages import Reply
from audio_extract_dagster.simulator.routed_request import RoutedRequest
from audio_extract_dagster.simulator.routes import (
    analytics,
    control,
    directory,
    files,
    oauth,
    recording,
)


class Route(NamedTuple):
    """`operation` is what counters, faults and permissions call it; None for control paths."""

    method: str
    path: re.Pattern[str]
    operation: str | None
    handler: Callable[[RoutedRequest], Reply]

    @property
    def needs_token(self) -> bool:
        """The login, the storage behind signed links and the control paths do without."""
        return self.operation not in (None, "token", "download")


class Found(NamedTuple):
    route: Route
    arguments: tuple[str, ...]


def _route(
    method: str, path: str, operation: str | None, handler: Callable[[RoutedRequest], Reply]
) -> Route:
    pattern = re.sub(r"\{\w+\}", "([^/]+)", path)
    return Route(method, re.compile(pattern), operation, handler)


_DETAILS = "/api/v2/analytics/conversations"
_BATCHES = "/api/v2/recording/batchrequests"
_METADATA = "/api/v2/conversations/{id}/recordingmetadata"

ROUTES = (
    _route("POST", "/oauth/token", "token", oauth.token),
    _route("GET", "/api/v2/tokens/me", "tokens_me", oauth.token_info),
    _route("HEAD", "/api/v2/tokens/me", "tokens_me", oauth.token_info),
    _route("DELETE", "/api/v2/tokens/me", "tokens_me", oauth.revoke_token),
    _route("POST", f"{_DETAILS}/details/query", "details_query", analytics.details_query),
    _route("GET", f"{_DETAILS}/details", "conversation", analytics.conversations),
    _route("GET", f"{_DETAILS}/{{id}}/details", "conversation", analytics.conversation),
    _route("GET", _METADATA, "metadata", recording.metadata),
    _route("GET", f"{_METADATA}/{{recording}}", "metadata", recording.metadata_of_one),
    _route("GET", "/api/v2/recording/settings", "settings", recording.settings),
    _route("POST", _BATCHES, "batch_submit", recording.submit),
    _route("GET", f"{_BATCHES}/{{job}}", "batch_poll", recording.poll),
    _route("GET", "/api/v2/organizations/me", "organization", directory.organization),
    _route(
        "GET",
        "/api/v2/organizations/limits/namespaces/{namespace}",
        "limits",
        directory.limits,
    ),
    _route("GET", "/api/v2/routing/queues", "queues", directory.queues),
    _route("GET", "/api/v2/routing/queues/{id}", "queues", directory.queue),
    _route("GET", "/api/v2/users", "users", directory.users),
    _route("GET", "/api/v2/users/{id}", "users", directory.user),
    _route("GET", "/files/{conversation}/{number}/{part}", "download", files.download),
    _route("GET", "/simulator/switches", None, control.show_switches),
    _route("PATCH", "/simulator/switches", None, control.change_switches),
    _route("POST", "/simulator/faults", None, control.add_fault),
    _route("DELETE", "/simulator/faults", None, control.clear_faults),
    _route("GET", "/simulator/counters", None, control.show_counters),
    _route("DELETE", "/simulator/counters", None, control.clear_counters),
    _route("GET", "/simulator/batches", None, control.show_batches),
    _route("POST", "/simulator/revoke-tokens", None, control.revoke_tokens),
    _route("POST", "/simulator/finish-uploads", None, control.finish_uploads),
    _route("GET", "/simulator/world", None, control.show_world),
)


def find(method: str, path: str) -> Found | None:
    """The route of a request, with the variable parts of its path decoded."""
    for route in ROUTES:
        if route.method == method and (match := route.path.fullmatch(path)):
            return Found(route, tuple(map(unquote, match.groups())))
    return None

"""What happens to every request around its handler: faults, token, rate limit, permission, errors.

The order is the platform's: an edge that fails does so before anybody looks at the token; a request
that is refused for its rate was authenticated; permissions are looked at last.
"""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import format_datetime

from audio_extract_dagster.simulator import disasters, routes
from audio_extract_dagster.simulator.faults import Fault
from audio_extract_dagster.simulator.messages import ApiError, Reply, Request, not_found
from audio_extract_dagster.simulator.operations import PERMISSIONS
from audio_extract_dagster.simulator.routed_request import RoutedRequest, Services
from audio_extract_dagster.simulator.tokens import Token

_MAX_BODY = 512_000


def answer(services: Services, request: Request) -> Reply:
    """The reply to any request. Raises `ResetConnection` when there shall be none."""
    found = routes.find(request.method, request.path)
    if found is None:
        return not_found("the requested resource").reply(request.correlation_id)
    operation = found.route.operation
    if operation is None:
        return _guarded(services, request, found)
    services.org.counters.count(operation)
    faults = services.org.faults.strike(operation, f"{request.target} {_text(request.body)}")
    for fault in faults:
        _prelude(services, request, fault)
    worst = faults[-1] if faults and not faults[-1].is_prelude else None
    if worst and worst.refuses:
        return disasters.refusal(worst, request)
    reply = _guarded(services, request, found)
    return disasters.spoiled(worst, request, reply) if worst else reply


def _guarded(services: Services, request: Request, found: routes.Found) -> Reply:
    """The handler's reply, or the error body of what went wrong on the way to it."""
    limit_headers: dict[str, str] = {}
    try:
        token = _admit(services, request, found.route, limit_headers)
        reply = found.route.handler(RoutedRequest(services, request, found.arguments, token))
    except ApiError as error:
        reply = error.reply(request.correlation_id)
    reply.headers.update(limit_headers)
    return reply


def _admit(
    services: Services, request: Request, route: routes.Route, limit_headers: dict[str, str]
) -> Token | None:
    """Authentication, size, rate and permission. Fills in the headers that tell of the rate."""
    if not route.needs_token:
        return None
    token = _authenticate(services, request)
    used, reset = services.org.tokens.count(token)
    allowed = services.org.switches.rate_limit
    limit_headers["inin-ratelimit-count"] = str(used)
    limit_headers["inin-ratelimit-allowed"] = str(allowed)
    limit_headers["inin-ratelimit-reset"] = str(_whole(reset))
    if used > allowed:
        raise _too_many(services, reset)
    if len(request.body) > _MAX_BODY:
        raise ApiError(413, "request.entity.too.large", "The request is larger than 512000 bytes.")
    if route.operation in services.org.switches.missing_permissions:
        needed = PERMISSIONS[route.operation] or f"simulator:{route.operation}:view"
        raise ApiError(
            403,
            "missing.any.permissions",
            "Unable to perform the requested action. You must have at least one of the following "
            f"permissions assigned: [{needed}]",
        )
    return token


def _authenticate(services: Services, request: Request) -> Token:
    tokens = services.org.tokens
    if request.bearer is None:
        raise ApiError(
            401,
            "authentication.required",
            "No authentication bearer token specified in authorization header.",
        )
    token = tokens.get(request.bearer)
    if token is None or token.revoked:
        raise ApiError(401, "bad.credentials", "Invalid login credentials.")
    if tokens.has_expired(token):
        code = services.org.switches.expiry_code
        if code == "bad.credentials":
            raise ApiError(401, code, "Invalid login credentials.")
        raise ApiError(401, code, "The supplied credentials are expired and cannot be used.")
    return token


def _too_many(services: Services, reset: float) -> ApiError:
    switches = services.org.switches
    wait = _whole(reset if switches.retry_after_seconds is None else switches.retry_after_seconds)
    headers = {"Retry-After": str(wait)}
    if switches.retry_after == "http-date":
        moment = services.org.clock.now() + timedelta(seconds=wait)
        headers["Retry-After"] = format_datetime(moment, usegmt=True)
    elif switches.retry_after == "absent":
        headers = {}
    message = f"Rate limit exceeded the maximum. Retry the request in [{wait}] seconds"
    return ApiError(429, "too.many.requests.retry.after", message, headers)


def _whole(seconds: float) -> int:
    """Rounded up, as a client that waits so long must be let in."""
    return int(-(-seconds // 1))


def _prelude(services: Services, request: Request, fault: Fault) -> None:
    if fault.kind == "slow":
        seconds = float(fault.params.get("seconds", 1.0))
        if fault.params.get("real"):
            time.sleep(seconds)
        else:
            services.org.clock.sleep(seconds)
    elif fault.kind == "revoke_token" and request.bearer:
        services.org.tokens.revoke(request.bearer)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")

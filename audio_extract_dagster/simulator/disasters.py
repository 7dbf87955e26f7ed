"""How a fault looks on the wire: the answers of a platform, an edge or a network in trouble."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from audio_extract_dagster.simulator.faults import Fault, mutated
from audio_extract_dagster.simulator.messages import ApiError, Reply, Request, ResetConnection

_CODES = {
    400: "bad.request",
    401: "bad.credentials",
    403: "not.authorized",
    404: "not.found",
    408: "request.timeout",
    409: "conflict",
    500: "internal.server.error",
    503: "service.unavailable",
    504: "authentication.request.timeout",
}
_PAGE = b"<!DOCTYPE html>\n<html><head><title>%d</title></head><body><h1>Sorry</h1></body></html>\n"


def refusal(fault: Fault, request: Request) -> Reply:
    """The answer of a fault that comes instead of the platform's. May raise `ResetConnection`."""
    params = fault.params
    if fault.kind == "reset_before":
        raise ResetConnection
    if fault.kind == "html":
        status = int(params.get("status", 502))
        return Reply(status, _PAGE % status, "text/html; charset=utf-8")
    if fault.kind == "rate_limited":
        return _rate_limited(fault, request)
    status = int(params.get("status", 500))
    headers = {name: str(value) for name, value in params.get("headers", {}).items()}
    if "body" in params:
        kind = params.get("content_type", "text/plain")
        return Reply(status, str(params["body"]).encode(), kind, headers)
    code = params.get("code", _CODES.get(status, "internal.server.error"))
    message = params.get("message", f"The simulator was told to answer {status}.")
    return ApiError(status, code, message, headers).reply(request.correlation_id)


def spoiled(fault: Fault, request: Request, reply: Reply) -> Reply:
    """What is left of a reply after the fault. May raise `ResetConnection`."""
    keep = float(fault.params.get("keep", 0.5))
    if fault.kind == "reset_after":
        raise ResetConnection
    if fault.kind in ("empty_body", "zero_bytes"):
        reply.body = b""
    elif fault.kind == "garbage":
        reply.body = b'{"conversations": [{"conver' if _is_json(reply) else b"\0not audio" * 100
    elif fault.kind == "truncate":
        reply.sent = int(len(reply.body) * keep)
        reply.stall = float(fault.params.get("stall", 0.0))
    elif fault.kind == "shorten":
        reply.body = reply.body[: int(len(reply.body) * keep)]
    elif fault.kind == "mutate":
        reply.body = _mutated(fault, reply.body)
    else:
        return refusal(fault, request)
    return reply


def _rate_limited(fault: Fault, request: Request) -> Reply:
    wait = fault.params.get("retry_after", 1)
    if isinstance(wait, datetime):
        wait = wait.astimezone(timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {} if wait is None else {"Retry-After": str(wait)}
    message = f"Rate limit exceeded the maximum. Retry the request in [{wait}] seconds"
    error = ApiError(429, "too.many.requests.retry.after", message, headers)
    return error.reply(request.correlation_id)


def _is_json(reply: Reply) -> bool:
    return reply.content_type.startswith("application/json")


def _mutated(fault: Fault, body: bytes) -> bytes:
    """By the standard library, which can write what stricter ones refuse: NaN, lone surrogates."""
    answer = json.loads(body)
    if fault.change is not None:
        return json.dumps(fault.change(answer)).encode()
    params = fault.params
    path, remove = params.get("path", ""), bool(params.get("remove"))
    return json.dumps(mutated(answer, path, params.get("value"), remove=remove)).encode()

"""A request as the routes see it, an answer as they give it, and the API's errors.

No sockets: those are in `server.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec


@dataclasses.dataclass(slots=True)
class Request:
    """`target` is path and query as sent; header names are in lower case."""

    method: str
    path: str
    query_text: str
    headers: Mapping[str, str]
    body: bytes
    correlation_id: str

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query_text}" if self.query_text else self.path

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter."""
        return {
            name: values[-1]
            for name, values in parse_qs(self.query_text, keep_blank_values=True).items()
        }

    @property
    def bearer(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; anything else is the client's fault."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise ApiError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported.media.type",
                "The content type must be application/json.",
            )
        try:
            body = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise bad_request("The request body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise bad_request("The request body must be a JSON object.")
        return body


@dataclasses.dataclass(slots=True)
class Reply:
    """`sent` limits the bytes that really go out; after `stall` seconds the connection ends."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    sent: int | None = None
    stall: float = 0.0

    @classmethod
    def json(cls, payload: object, status: int = 200) -> Reply:
        return cls(status, msgspec.json.encode(payload))


class ResetConnection(Exception):
    """Instead of an answer, the connection is reset."""


class ApiError(Exception):
    """A request that the platform refuses, with the code that clients branch on."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = headers or {}

    def reply(self, correlation_id: str) -> Reply:
        body = {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "contextId": correlation_id,
            "details": [],
            "errors": [],
        }
        return Reply(self.status, msgspec.json.encode(body), headers=dict(self.headers))


def bad_request(message: str, code: str = "bad.request") -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, code, message)


def not_found(what: str) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, "not.found", f"Unable to find {what}.")

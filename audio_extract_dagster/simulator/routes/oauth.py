"""Login with client credentials, and what can be asked of a token."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qs

from audio_extract_dagster.simulator.messages import Reply
from audio_extract_dagster.simulator.routed_request import RoutedRequest


def token(routed: RoutedRequest) -> Reply:
    """Basic authentication, or id and secret in the form as some clients do."""
    form = {name: values[-1] for name, values in parse_qs(routed.request.body.decode()).items()}
    client_id, secret = _basic(routed.request.headers.get("authorization", ""))
    if not client_id:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    fixed = routed.org.client
    if not client_id or (fixed and client_id != fixed.id):
        return _refused(400, "invalid_client", "client not found")
    if fixed and secret != fixed.secret:
        return _refused(401, "invalid_client", "authentication failed")
    if form.get("grant_type") != "client_credentials":
        return _refused(400, "unsupported_grant_type", "grant type is not supported")
    seconds = routed.org.switches.token_seconds
    issued = routed.org.tokens.issue(client_id, seconds)
    return Reply.json({"access_token": issued.value, "token_type": "bearer", "expires_in": seconds})


def token_info(routed: RoutedRequest) -> Reply:
    if routed.request.method == "HEAD":
        return Reply(200)
    client = {"id": routed.client_id, "name": "audio-extract", "organization": routed.org.identity}
    return Reply.json(
        {
            "organization": routed.org.identity,
            "homeOrganization": routed.org.identity,
            "authorizedScope": [],
            "OAuthClient": client,
        }
    )


def revoke_token(routed: RoutedRequest) -> Reply:
    if routed.token:
        routed.org.tokens.revoke(routed.token.value)
    return Reply(204)


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client_id, secret


def _refused(status: int, error: str, description: str) -> Reply:
    """Login errors do not have the API's error body."""
    body = {"error": error, "description": description, "error_description": description}
    return Reply.json(body, status)

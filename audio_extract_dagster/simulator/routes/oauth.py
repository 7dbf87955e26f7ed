"""Login with client credentials, and what can be asked of a token."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qs

from audio_extract_dagster.simulator.call import Call
from audio_extract_dagster.simulator.messages import Reply


def token(call: Call) -> Reply:
    """Basic authentication, or id and secret in the form as some clients do."""
    form = {name: values[-1] for name, values in parse_qs(call.request.body.decode()).items()}
    client_id, secret = _basic(call.request.headers.get("authorization", ""))
    if not client_id:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    fixed = call.org.client
    if not client_id or (fixed and client_id != fixed.id):
        return _refused(400, "invalid_client", "client not found")
    if fixed and secret != fixed.secret:
        return _refused(401, "invalid_client", "authentication failed")
    if form.get("grant_type") != "client_credentials":
        return _refused(400, "unsupported_grant_type", "grant type is not supported")
    seconds = call.org.switches.token_seconds
    issued = call.org.tokens.issue(client_id, seconds)
    return Reply.json({"access_token": issued.value, "token_type": "bearer", "expires_in": seconds})


def token_info(call: Call) -> Reply:
    if call.request.method == "HEAD":
        return Reply(200)
    client = {"id": call.client_id, "name": "audio-extract", "organization": call.org.identity}
    return Reply.json(
        {
            "organization": call.org.identity,
            "homeOrganization": call.org.identity,
            "authorizedScope": [],
            "OAuthClient": client,
        }
    )


def revoke_token(call: Call) -> Reply:
    if call.token:
        call.org.tokens.revoke(call.token.value)
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

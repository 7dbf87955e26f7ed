"""The operations of the API that the simulator knows, and the permission that each needs.

A fault is tied to one of these names and a counter counts it; which requests belong to one is in
`routes/`.
"""

from __future__ import annotations

from collections.abc import Mapping

_CONVERSATIONS = "analytics:conversationDetail:view"
_RECORDINGS = "recording:recording:view, recording:recordingSegment:view"

PERMISSIONS: Mapping[str, str | None] = {
    "token": None,
    "tokens_me": None,
    "organization": None,
    "limits": None,
    "details_query": _CONVERSATIONS,
    "conversation": _CONVERSATIONS,
    "metadata": _RECORDINGS,
    "batch_submit": _RECORDINGS,
    "batch_poll": None,
    "settings": None,
    "queues": "routing:queue:view",
    "users": None,
    "download": None,
}

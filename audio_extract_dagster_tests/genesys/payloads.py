"""A conversation as the details query returns it, for tests of reading."""

from __future__ import annotations

import json
from typing import Any

CONVERSATION: dict[str, Any] = {
    "conversationId": "11111111-2222-4333-8444-555555555555",
    "conversationStart": "2026-03-10T14:02:11.104Z",
    "conversationEnd": "2026-03-10T14:09:40.870Z",
    "originatingDirection": "inbound",
    "divisionIds": ["d-1"],
    "mediaStatsMinConversationMos": 4.88,
    "participants": [
        {
            "participantId": "a-1",
            "purpose": "agent",
            "userId": "u-1",
            "participantName": "\u00d1and\u00fa",
            "sessions": [
                {
                    "sessionId": "s-2",
                    "peerId": "s-1",
                    "mediaType": "voice",
                    "direction": "inbound",
                    "provider": "Edge",
                    "ani": "tel:+5115550100",
                    "dnis": "tel:+5115550199",
                    "recording": True,
                    "metrics": [{"emitDate": "x", "name": "tHandle", "value": 398370}],
                    "segments": [
                        {
                            "segmentStart": "2026-03-10T14:03:02.500Z",
                            "segmentEnd": "2026-03-10T14:08:52.300Z",
                            "segmentType": "interact",
                            "conference": False,
                            "disconnectType": "peer",
                            "queueId": "q-1",
                            "wrapUpCode": "w-1",
                        }
                    ],
                }
            ],
        }
    ],
}


def page_of(*conversations: object, total: object = 1) -> bytes:
    return json.dumps({"conversations": conversations, "totalHits": total}).encode()

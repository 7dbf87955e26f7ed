"""The client of the Genesys Cloud API, usable without the rest of the project.

What to ask and in which order, and where the answers go, is not known here.
"""

from audio_extract_dagster.genesys.client import MAX_PAGE_SIZE, GenesysClient
from audio_extract_dagster.genesys.errors import (
    BadRequest,
    CertificateNotTrusted,
    GenesysError,
    LoginRefused,
    NotFound,
    NotPermitted,
    RateLimited,
    SubmissionUncertain,
    Unavailable,
    UnreadableAnswer,
)
from audio_extract_dagster.genesys.model import (
    BatchJobStatus,
    BatchResult,
    Conversation,
    ConversationPage,
    Metric,
    Participant,
    RecordingMetadata,
    Segment,
    Session,
)
from audio_extract_dagster.genesys.pacing import LocalBudget, RequestBudget
from audio_extract_dagster.genesys.policy import DEFAULT_POLICY, IMPATIENT_POLICY, RetryPolicy
from audio_extract_dagster.genesys.usage import Usage

__all__ = [
    "DEFAULT_POLICY",
    "IMPATIENT_POLICY",
    "MAX_PAGE_SIZE",
    "BadRequest",
    "BatchJobStatus",
    "BatchResult",
    "CertificateNotTrusted",
    "Conversation",
    "ConversationPage",
    "GenesysClient",
    "GenesysError",
    "LocalBudget",
    "LoginRefused",
    "Metric",
    "NotFound",
    "NotPermitted",
    "Participant",
    "RateLimited",
    "RecordingMetadata",
    "RequestBudget",
    "RetryPolicy",
    "Segment",
    "Session",
    "SubmissionUncertain",
    "Unavailable",
    "UnreadableAnswer",
    "Usage",
]

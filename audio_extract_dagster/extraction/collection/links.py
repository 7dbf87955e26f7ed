"""Where the audio of a recording can be fetched: what a batch offers of it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Link:
    """Where one audio file can be fetched for a while. The URL is a secret while it lives."""

    url: str = field(repr=False)
    content_type: str | None


@dataclass(frozen=True)
class RecordingLinks:
    """The files of one recording, in the order of their parts.

    `replaces`: rows claim files of it, whose places these may take.
    """

    conversation_id: str
    recording_id: str
    links: tuple[Link, ...]
    replaces: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.conversation_id, self.recording_id

    @property
    def parts(self) -> list[tuple[int, Link]]:
        """Each link with its part: 0 for a single file, else 1…n."""
        first = 1 if len(self.links) > 1 else 0
        return list(enumerate(self.links, start=first))

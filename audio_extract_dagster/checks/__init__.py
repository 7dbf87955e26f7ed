"""What must be true of a day, or at least plausible: one function for each check.

Usable without Dagster, which shows them as asset checks (`defs/checks.py`). A check reads; it never
mends.
"""

from audio_extract_dagster.checks import audio, calls, day, listing
from audio_extract_dagster.checks.rule import Check, DayToCheck, Found

__all__ = ["ALL_CHECKS", "Check", "DayToCheck", "Found"]

ALL_CHECKS = (
    Check("conversations", listing.listing_is_complete),
    Check("conversations", listing.each_conversation_once),
    Check("conversations", listing.each_in_its_day),
    Check("conversations", listing.still_listed, warns=True),
    Check("agent_calls", calls.calls_add_up),
    Check("agent_calls", calls.volume_is_usual, warns=True),
    Check("audio_records", audio.calls_have_records),
    Check("audio_records", audio.stored_files_exist),
    Check("audio_records", audio.recorded_calls_have_recordings, warns=True),
    Check("audio_records", audio.durations_agree, warns=True),
    Check("audio_records", audio.nothing_open_too_long, warns=True),
    Check("daily_report", day.no_day_left_behind, warns=True),
    Check("daily_report", day.day_is_accounted_for, stops=True),
)

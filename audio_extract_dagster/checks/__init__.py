"""What must be true of a day, or at least plausible: one function for each check.

Usable without Dagster, which shows them as asset checks (`defs/checks.py`). A check reads; it never
mends.
"""

from audio_extract_dagster.checks.day import ALL_CHECKS
from audio_extract_dagster.checks.rule import Check, DayUnderTest, Found

__all__ = ["ALL_CHECKS", "Check", "DayUnderTest", "Found"]

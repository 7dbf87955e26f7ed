"""The audio of a day: batches planned, submitted, looked at, fetched, settled and recorded.

`collect.py` is where to begin: it says what is done next, and each other file does one of these.
What becomes of a recording in the end is a rule of the business, in `extraction/outcomes.py`.
"""

from audio_extract_dagster.extraction.collection.collect import CollectionLimits, collect_audio

__all__ = ["CollectionLimits", "collect_audio"]

"""The languages that messages can be written in (`NOTIFY_LANGUAGE`)."""

from __future__ import annotations

from audio_extract_dagster.notify.english import ENGLISH
from audio_extract_dagster.notify.spanish import SPANISH
from audio_extract_dagster.notify.texts import Texts

LANGUAGES: dict[str, Texts] = {texts.language: texts for texts in (ENGLISH, SPANISH)}

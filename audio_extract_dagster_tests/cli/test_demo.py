"""`audio-extract demo`: everything on this machine, whatever the environment says."""

from __future__ import annotations

from datetime import datetime, timezone

from audio_extract_dagster.settings import Settings
from audio_extract_dagster_tests.cli.command_line import CommandLine
from audio_extract_dagster_tests.embedded.extra import needs_extra_demo

pytestmark = needs_extra_demo

_SOMEBODY_ELSES = """\
PG_HOST=db.example.com
PG_USER=production
PG_PASSWORD=production
PG_DATABASE=production
PG_SCHEMA=theirs
GENESYS_CLOUD_CLIENT_ID=production
GENESYS_CLOUD_CLIENT_SECRET=production
GENESYS_QUEUE_ID=theirs
NOTIFY_URL=https://mail.example.com/
EMAILS=everybody@example.com
AUDIO_STORAGE_URI=gs://theirs/audio
EXCLUDED_WEEKDAYS=monday,tuesday,wednesday,thursday,friday,saturday
"""
# What libpq reads by itself: the embedded server speaks no TLS, and is somewhere else.
_OF_THEIR_SERVER = {"PGSSLMODE": "verify-full", "PGHOSTADDR": "192.0.2.1", "PGCONNECT_TIMEOUT": "2"}


def test_a_demo_needs_nothing_and_finds_its_data_again(nowhere: CommandLine) -> None:
    (nowhere.folder / ".env").write_text(_SOMEBODY_ELSES)
    before = Settings().business_days.latest_finished(datetime.now(timezone.utc))

    first = nowhere.run("demo", DAGSTER_HOME="/nowhere/to/be/found", **_OF_THEIR_SERVER)
    audio = sorted((nowhere.folder / "data" / "audio").rglob("*.*"))
    changed = [file.stat().st_mtime_ns for file in audio]
    second = nowhere.run("demo")

    after = Settings().business_days.latest_finished(datetime.now(timezone.utc))
    for finished in (first, second):
        assert (finished.code, finished.errors) == (0, "")
        assert finished.output[:10] in {str(before), str(after)}
        assert " conversations = " in finished.output
        assert "audio-extract dev" in finished.output
        assert "PG_HOST is set: `dev` opens that database." in finished.output
    assert len(audio) > 10
    # The second start found the database and the files of the first.
    assert sorted((nowhere.folder / "data" / "audio").rglob("*.*")) == audio
    assert [file.stat().st_mtime_ns for file in audio] == changed
    assert len(list((nowhere.folder / "data" / "messages").iterdir())) == 1
    instance = (nowhere.folder / "data" / "dagster" / "dagster.yaml").read_text()
    assert "port: {env: PG_PORT}" in instance

"""The daily schedule: what a tick asks for, in which order and why, whatever happened before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData
from sqlalchemy import Engine

from audio_extract_dagster.database.connection import DatabaseUnavailable
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.database.locks import day_lock
from audio_extract_dagster.definitions import definitions
from audio_extract_dagster.defs.assets.audio import audio_config
from audio_extract_dagster.defs.jobs import JOB_NAME
from audio_extract_dagster.model import Ask, JobStatus
from audio_extract_dagster_tests.defs.location import dagster_asks_old_pydantic
from audio_extract_dagster_tests.postgres import Database

pytestmark = dagster_asks_old_pydantic

LIMA = ZoneInfo("America/Lima")
MONDAY = date(2024, 2, 5)
SUNDAY = date(2024, 2, 11)

LATEST = "the latest finished business day"
SECOND = "second look for late conversations"


@dataclass
class ContactCentre:
    """Days that were run before, and a schedule that is asked at six in the morning."""

    engine: Engine
    instance: dg.DagsterInstance

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def ran(self, *days: date, status: JobStatus = JobStatus.SUCCEEDED) -> None:
        """A run of each of these days ended so; one that is RUNNING has not ended."""
        for day in days:
            self._ran(day, status)

    def _ran(self, day: date, status: JobStatus) -> None:
        number = next(self._numbers)
        run_id = f"run-{number}"
        start = datetime(2024, 2, 1, tzinfo=LIMA) + timedelta(minutes=number)
        with self.engine.begin() as connection:
            jobs.open_job(connection, run_id, day, start)
            if status is not JobStatus.RUNNING:
                jobs.close_job(connection, run_id, status, start)

    def tick(self, day: date) -> ScheduleExecutionData:
        """What Dagster makes of the schedule's tick on the morning of `day`."""
        location = definitions()
        context = dg.build_schedule_context(
            instance=self.instance,
            scheduled_execution_time=datetime.combine(day, time(6), LIMA),
            repository_def=location.get_repository_def(),
        )
        return location.resolve_schedule_def("daily_extraction").evaluate_tick(context)

    def asked_for(self, day: date) -> list[tuple[str, str]]:
        """The days that the tick asks for, with the reason of each."""
        requests: Iterable[dg.RunRequest] = self.tick(day).run_requests or []
        return [
            (str(request.partition_key), request.tags["audio_extract/why"]) for request in requests
        ]

    def work_through(self, day: date) -> list[tuple[str, str]]:
        """The tick of `day`, and every run that it asks for succeeds."""
        asked = self.asked_for(day)
        self.ran(*(date.fromisoformat(key) for key, _ in asked))
        return asked


@pytest.fixture
def centre(configured: None, database: Database, instance: dg.DagsterInstance) -> ContactCentre:
    return ContactCentre(database.engine, instance)


def _week(start: date) -> list[date]:
    return [start + timedelta(days=number) for number in range(6)]


def test_a_week_of_mornings(centre: ContactCentre) -> None:
    # The week before was all run.
    centre.ran(*_week(MONDAY - timedelta(days=7)))

    assert {day.strftime("%a"): centre.work_through(day) for day in _week(MONDAY)} == {
        "Mon": [("2024-02-01", SECOND), ("2024-02-03", LATEST)],
        "Tue": [("2024-02-02", SECOND), ("2024-02-05", LATEST)],
        "Wed": [("2024-02-03", SECOND), ("2024-02-06", LATEST)],
        "Thu": [("2024-02-05", SECOND), ("2024-02-07", LATEST)],
        "Fri": [("2024-02-06", SECOND), ("2024-02-08", LATEST)],
        "Sat": [("2024-02-07", SECOND), ("2024-02-09", LATEST)],
    }


def test_a_tick_on_a_sunday_skips_and_says_why(centre: ContactCentre) -> None:
    tick = centre.tick(SUNDAY)

    assert tick.run_requests == []
    assert tick.skip_message == (
        "2024-02-11 is no working day: it is a Sunday (EXCLUDED_WEEKDAYS)."
    )


def test_the_very_first_tick_asks_for_one_day_only(centre: ContactCentre) -> None:
    assert centre.asked_for(MONDAY) == [("2024-02-03", LATEST)]


def test_before_start_date_nothing_is_due(
    centre: ContactCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("START_DATE", "2024-02-05")

    tick = centre.tick(MONDAY)

    assert tick.run_requests == []
    assert "START_DATE 2024-02-05" in str(tick.skip_message)
    assert centre.asked_for(MONDAY + timedelta(days=1)) == [("2024-02-05", LATEST)]


def test_after_two_days_without_a_daemon_everything_is_caught_up(centre: ContactCentre) -> None:
    centre.ran(*_week(MONDAY - timedelta(days=7)), MONDAY)

    # Wednesday and Thursday morning were missed.
    assert centre.work_through(MONDAY + timedelta(days=4)) == [
        ("2024-02-06", "not done yet (never run)"),
        ("2024-02-07", "not done yet (never run)"),
        ("2024-02-08", LATEST),
    ]
    assert centre.asked_for(MONDAY + timedelta(days=5)) == [
        ("2024-02-07", SECOND),
        ("2024-02-09", LATEST),
    ]


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED, JobStatus.RUNNING])
def test_a_day_that_is_not_done_comes_back_until_it_is(
    centre: ContactCentre, status: JobStatus
) -> None:
    centre.ran(*_week(MONDAY - timedelta(days=7)))
    centre.ran(date(2024, 2, 1), status=status)

    not_done = ("2024-02-01", f"not done yet (last job {status.value})")
    for morning in (MONDAY, MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)):
        assert not_done in centre.asked_for(morning)
    centre.ran(date(2024, 2, 1), status=JobStatus.INCOMPLETE)
    assert not_done not in centre.asked_for(MONDAY + timedelta(days=3))


def test_a_day_that_is_at_work_is_left_alone(centre: ContactCentre) -> None:
    centre.ran(*_week(MONDAY - timedelta(days=7)))
    busy = date(2024, 2, 2)
    centre.ran(busy, status=JobStatus.RUNNING)

    with day_lock(centre.engine, "audio_extract", busy):
        assert "2024-02-02" not in dict(centre.asked_for(MONDAY))


def test_days_before_the_first_one_ever_run_are_not_asked_for(centre: ContactCentre) -> None:
    centre.ran(date(2024, 2, 2), status=JobStatus.FAILED)

    assert centre.asked_for(MONDAY) == [
        ("2024-02-02", "not done yet (last job FAILED)"),
        ("2024-02-03", LATEST),
    ]


def test_after_a_holiday_the_latest_day_is_the_one_before_it(
    centre: ContactCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCLUDED_DATES", "02-03, 02-02")
    centre.ran(date(2024, 1, 31))

    assert centre.asked_for(MONDAY) == [("2024-02-01", LATEST)]


def test_requests_are_for_the_job_of_a_day_and_each_tick_asks_anew(centre: ContactCentre) -> None:
    centre.ran(*_week(MONDAY - timedelta(days=7)))
    monday = centre.tick(MONDAY).run_requests or []
    again = centre.tick(MONDAY + timedelta(days=1)).run_requests or []

    assert {request.job_name or JOB_NAME for request in monday} == {JOB_NAME}
    assert [request.tags["dagster/partition"] for request in monday] == [
        request.partition_key for request in monday
    ]
    # A key that came back would be passed over, though its day is not done.
    assert not {each.run_key for each in monday} & {each.run_key for each in again}
    second, latest = monday
    assert second.run_config == audio_config(Ask.NEW_CALLS)
    assert latest.run_config == {}


def test_without_a_database_the_tick_fails_in_our_words(
    centre: ContactCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_PORT", "9")

    with pytest.raises(dg.DagsterError) as raised:
        centre.tick(MONDAY)
    assert isinstance(raised.value.__cause__, DatabaseUnavailable)
    assert "PG_PORT=9" in str(raised.value.__cause__)


def test_a_lost_secret_of_genesys_does_not_keep_the_runs_from_starting(
    centre: ContactCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENESYS_CLOUD_CLIENT_SECRET")

    # The run fails and is told to people; a tick that fails is told to nobody.
    assert centre.asked_for(MONDAY) == [("2024-02-03", LATEST)]


@pytest.mark.parametrize(
    "name",
    ["outbox_delivery", "backfill_digest", "missed_day", "late_audio", "vanished_runs"],
)
def test_a_lost_secret_of_genesys_does_not_silence_the_sensors(
    centre: ContactCentre, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    centre.ran(MONDAY)
    monkeypatch.delenv("GENESYS_CLOUD_CLIENT_SECRET")
    location = definitions()
    context = dg.build_sensor_context(
        instance=centre.instance, repository_def=location.get_repository_def()
    )

    assert location.resolve_sensor_def(name).evaluate_tick(context).skip_message

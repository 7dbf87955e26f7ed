"""A day to be extracted and disturbed, and what each run of it left behind.

Everything is real but the time: HTTP to the simulator, PostgreSQL, files. The clock jumps instead
of waiting, and the simulator lives by the same one, so that batches ripen and links die while the
run waits. What a run does is in `steps.py`; what a scenario disturbs, and what it expects then, in
the tests beside this file.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from types import TracebackType
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Table

from audio_extract_dagster.business_days import BusinessDays
from audio_extract_dagster.clock import Clock
from audio_extract_dagster.database import tables
from audio_extract_dagster.database.ledger import jobs
from audio_extract_dagster.download.downloader import Downloader
from audio_extract_dagster.errors import AudioExtractError
from audio_extract_dagster.extraction.collection import CollectionLimits
from audio_extract_dagster.extraction.day_run import DayRun
from audio_extract_dagster.extraction.verification import Difference, verify_day
from audio_extract_dagster.genesys import GenesysClient, LocalBudget
from audio_extract_dagster.model import OPEN_CALLS
from audio_extract_dagster.notify.announce import Announcer
from audio_extract_dagster.simulator import (
    Conversation,
    Fault,
    Recording,
    Simulator,
    Source,
    Switches,
    World,
)
from audio_extract_dagster.storage import FolderStorage, StorageRefused
from audio_extract_dagster_tests.fake_clock import FakeClock
from audio_extract_dagster_tests.notify.messages import LETTERHEAD
from audio_extract_dagster_tests.postgres import Database
from audio_extract_dagster_tests.scenarios.ending import (
    DayState,
    Ending,
    Row,
    read_rows,
    read_state,
)
from audio_extract_dagster_tests.scenarios.steps import extract_day

log = logging.getLogger(__name__)

TUESDAY = date(2026, 3, 10)
# Three days later nothing of Tuesday depends on the hour any more.
FRIDAY = datetime(2026, 3, 13, 11, tzinfo=timezone.utc)
CALENDAR = BusinessDays(timezone=ZoneInfo("America/Lima"), first=date(2024, 1, 1))

CLIENT_ID = "client-of-the-scenarios"
CLIENT_SECRET = "s3cret-of-the-scenarios"

LIMITS = CollectionLimits(
    batch_size=20,
    batches_in_flight=16,
    shortest_pause=10,
    batch_deadline=3600,
    download_concurrency=4,
    late_audio=timedelta(days=7),
)


class Scene:
    """An org, a database, a folder for audio and a clock. A context manager."""

    def __init__(
        self,
        source: Source,
        database: Database,
        folder: Path,
        *,
        start: datetime = FRIDAY,
        limits: CollectionLimits = LIMITS,
        day: date = TUESDAY,
    ) -> None:
        self.clock = FakeClock(start)
        self.simulator = Simulator(
            source,
            clock=self.clock,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            # What uploads keeps uploading, however long a run takes; and parts are numbered in the
            # order of the results, which must not depend on how often somebody asked.
            switches=Switches(late_audio_seconds=None, batch_shuffles=False),
        )
        self.database = database
        self.folder = folder
        self.limits = limits
        self.selection = OPEN_CALLS
        self.report: Callable[[str], None] = log.info
        self.day = day
        self.window = CALENDAR.window(day)
        self.downloader = Downloader(FolderStorage(folder), clock=self.clock)
        self.endings: list[Ending] = []
        self._run_numbers = count(1)

    def __enter__(self) -> Scene:
        self.simulator.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.downloader.close()
        self.simulator.stop()

    @property
    def engine(self) -> Engine:
        return self.database.engine

    @property
    def schema(self) -> str:
        return self.database.settings.schema

    def run(self) -> Ending:
        """One run of the day from the lock to the verdict, whatever becomes of it."""
        run_id = f"run-{next(self._run_numbers)}"
        error = self.attempt(run_id)
        ending = self.ending(run_id, error)
        self.endings.append(ending)
        self.check_sound(ending)
        return ending

    def run_undisturbed(self) -> Ending:
        """A run without faults, which must not break."""
        self.simulator.faults.clear()
        ending = self.run()
        assert ending.error is None, str(ending.error)
        return ending

    def refuse(self, operation: str, status: int, *matches: str) -> list[Fault]:
        """Each request of this kind that names one of these is answered with this status."""
        params = {"status": status}
        return [
            self.simulator.faults.add(
                Fault(operation, "status", times=None, match=match, params=params)
            )
            for match in matches
        ]

    def attempt(self, run_id: str) -> Exception | None:
        """The run alone, for who cannot look at what it left behind; returns what broke it."""
        self.simulator.counters.clear()
        try:
            with self.client() as client, self.day_run(run_id) as day_run:
                extract_day(self, day_run, client)
        except Exception as error:
            return error
        return None

    def check_sound(self, ending: Ending) -> None:
        """What holds after any run: our own errors only, and rows and files that agree.

        A run that broke may leave calls without a record, and files whose rows it could not write.
        A recording of which only one part came, and more were told of later, leaves that one.
        """
        assert ending.error is None or isinstance(ending.error, AudioExtractError), ending.error
        assert not [name for name in ending.state.files if name.endswith(".part")]
        if isinstance(ending.error, StorageRefused):
            return  # there is no storage to look at
        unsettled = ending.state.keys_with("PENDING") | ending.state.keys_with("FAILED")
        calls = {conversation_id for conversation_id, _, _ in unsettled}
        accepted = {Difference.CALL_WITHOUT_RECORD, Difference.FILE_WITHOUT_ROW}
        findings = [
            finding
            for finding in verify_day(self.engine, FolderStorage(self.folder), self.day)
            if Path(finding.place).parent.name not in calls
            and not (ending.error and finding.difference in accepted)
        ]
        assert findings == []

    def client(self, clock: Clock | None = None) -> GenesysClient:
        """A new client, as each run has one; its jitter is the same in every run."""
        clock = clock or self.clock
        return GenesysClient(
            self.simulator.url,
            self.simulator.url,
            CLIENT_ID,
            CLIENT_SECRET,
            budget=LocalBudget(240, clock),
            clock=clock,
            rng=random.Random(7),
        )

    def day_run(self, run_id: str, engine: Engine | None = None) -> DayRun:
        return DayRun(
            engine or self.engine,
            self.schema,
            self.day,
            run_id,
            clock=self.clock,
            max_failed_percent=5,
            announce=Announcer(self.clock, LETTERHEAD),
        )

    def ending(self, run_id: str, error: Exception | None = None) -> Ending:
        """What a run has left behind."""
        with self.engine.connect() as connection:
            job = jobs.job(connection, run_id)
        return Ending(
            job,
            error,
            self.state(),
            Counter(self.simulator.counters.operations),
            self.simulator.counters.downloads,
            sorted(self.rows(tables.audio_batches), key=lambda row: int(row["batch_number"])),
        )

    def state(self) -> DayState:
        return read_state(self.engine, self.folder)

    def rows(self, table: Table) -> list[Row]:
        return read_rows(self.engine, table)


def obtainable(world: World) -> list[tuple[Conversation, Recording]]:
    """The recordings of the day that Genesys gives."""
    return [
        (call, recording)
        for call in world.conversations(TUESDAY)
        if call.has_agent and call.story not in ("open", "stuck")
        for recording in call.recordings
        if (recording.media, recording.state) == ("audio", "AVAILABLE")
    ]

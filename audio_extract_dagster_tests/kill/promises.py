"""What was promised for a day whose runs were killed, and where a day falls short of it.

The same for the tests and for `benchmarks/kill.py`. How the day came about is in `experiment.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from audio_extract_dagster_tests.kill.leftovers import Leftovers, batches_again, differences
from audio_extract_dagster_tests.kill.moments import Moment


@dataclass(frozen=True)
class Death:
    """A run that was killed: when, at which operation, and what it left."""

    moment: Moment
    operation: str
    left: Leftovers


@dataclass(frozen=True)
class Aftermath:
    """A day that is done: the runs that died on the way, the runs that were needed afterwards."""

    deaths: list[Death]
    runs: list[Leftovers] = field(repr=False)

    @property
    def end(self) -> Leftovers:
        return self.runs[-1]

    @property
    def batches_again(self) -> int:
        """Batches that were asked for twice although Genesys had them in hand."""
        open_calls = frozenset[str]().union(*(death.left.open_calls for death in self.deaths))
        return batches_again(self.end.submitted, open_calls)

    def downloads_again(self, calm: Aftermath) -> int:
        """Files fetched beyond those of the calm day: they were in the air, or without a row."""
        runs = [death.left for death in self.deaths] + self.runs
        fetched = sum(sum(run.downloads.values()) for run in runs)
        return fetched - sum(calm.end.downloads.values())

    def stored_fetched_again(self, calm: Aftermath) -> int:
        """Recordings that were stored, whole, and were fetched by a later run all the same."""
        runs = [death.left for death in self.deaths] + self.runs
        again = 0
        for number, death in enumerate(self.deaths, start=1):
            stored = death.left.stored_as_in(calm.end)
            again += sum(len(stored & {key[:2] for key in run.downloads}) for run in runs[number:])
        return again


def broken_promises(day: Aftermath, calm: Aftermath) -> list[str]:
    """What a killed day lacks that was promised, in words; empty is the proof."""
    end, promised = day.end, calm.end
    found = differences(end.state, promised.state)
    if end.counts != promised.counts:
        found.append(f"the accounts are {end.counts}, undisturbed {promised.counts}")
    if end.listing != promised.listing:
        found.append(f"the listing counts {end.listing}, undisturbed {promised.listing}")
    if end.jobs[-1]["status"] != promised.jobs[-1]["status"]:
        found.append(f"the day ends {end.jobs[-1]['status']}")
    if len(day.runs) > 1:
        found.append(f"{len(day.runs)} runs until done")
    if half := [name for name in end.state.files if name.endswith(".part")]:
        found.append(f"{len(half)} .part files left")
    if unfinished := end.batches_in("PLANNED") + end.batches_in("SUBMITTED"):
        found.append(f"{len(unfinished)} batches never closed")
    if day.batches_again > len(day.deaths):
        found.append(f"{day.batches_again} batches asked for again")
    if (more := len(end.submitted) - len(promised.submitted)) > len(day.deaths):
        found.append(f"{more} batch requests more than undisturbed")
    if again := day.stored_fetched_again(calm):
        found.append(f"{again} stored recordings fetched again")
    return found + _wrong_jobs(day) + _wrong_messages(day)


def _died(day: Aftermath) -> set[str]:
    """The ids of the killed runs, but for those that had no job yet."""
    return {
        job["run_id"]
        for death in day.deaths
        for job in death.left.jobs
        if job["status"] == "RUNNING"
    }


def _wrong_jobs(day: Aftermath) -> list[str]:
    """A run that died with a job is told as vanished; every other one has told its own end."""
    told = {job["run_id"]: job for job in day.end.jobs}
    died = _died(day)
    found = []
    for run_id, job in told.items():
        vanished = job["status"] == "FAILED" and "vanished" in (job["error"] or "")
        if job["finished_at"] is None or vanished is not (run_id in died):
            found.append(f"a run ended {job['status']} ({job['error']})")
    if len(told) != len(died) + len(day.runs):
        found.append(f"{len(told)} jobs of {len(died)} killed and {len(day.runs)} other runs")
    return found


def _wrong_messages(day: Aftermath) -> list[str]:
    """One message of the run that ended the day, and one that a run vanished, where one had a job.

    The next ones that vanish are told if they got further: the counts of the day have changed.
    """
    told = [message["run_id"] for message in day.end.messages]
    died, last = _died(day), day.end.jobs[-1]["run_id"]
    found = [
        sum(run_id in died for run_id in told),
        told.count(last),
        len([run_id for run_id in told if run_id != last and run_id not in died]),
    ]
    as_promised = min(len(died), 1) <= found[0] <= len(died) and found[1:] == [1, 0]
    return [] if as_promised else [f"messages of killed, last and other runs: {found}"]

"""The one place where the error families become Dagster's retry or failure."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from audio_extract_dagster.errors import AudioExtractError, TryAgain

# The parts below have already been patient with their own faults; a step gets one more chance,
# which takes up where it stopped.
RETRIES = 1
PAUSE_SECONDS = 15


@contextmanager
def dagster_failures() -> Iterator[None]:
    """`TryAgain` asks for a retry of the step; `Never` and `NotYet` fail it at once.

    The text of our errors is written for people and holds nothing secret, so it becomes the
    description that Dagster shows. Other exceptions are faults of the program and pass as they are.
    """
    try:
        yield
    except TryAgain as error:
        failure = dg.Failure(description=str(error))
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=PAUSE_SECONDS) from failure
    except AudioExtractError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None

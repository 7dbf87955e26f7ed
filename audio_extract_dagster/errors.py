"""The families of errors, told apart by what to do about them.

Every error that this project raises on purpose belongs to one of three families. The parts of the
project derive their own types from them; `defs/` turns a family into Dagster's retry or failure in
one place. Nothing here knows Genesys, PostgreSQL or Dagster.
"""

from __future__ import annotations


class AudioExtractError(Exception):
    """Base of the families; its text is one message for a person: what happened and what to do."""


class TryAgain(AudioExtractError):
    """A passing fault (network, 5xx, a database restart): the same call may succeed later."""


class Never(AudioExtractError):
    """Repeating cannot help: a setting, permission or request is wrong and a person must act."""


class NotYet(AudioExtractError):
    """Nothing is broken, but the time has not come: a long rate limit, another run of the day."""

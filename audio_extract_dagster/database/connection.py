"""Connecting to PostgreSQL: one way to open an engine, one way to explain what went wrong.

No table and no query lives here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import URL, Connection, Engine, create_engine, exc

from audio_extract_dagster.database.storable import to_json
from audio_extract_dagster.errors import AudioExtractError, Never, TryAgain


class DatabaseUnavailable(TryAgain):
    """PostgreSQL cannot be reached, went away, is full or busy: the same call may succeed later."""


class DatabaseRefused(Never):
    """PostgreSQL answered and said no: wrong password, no such database, missing permission."""


@dataclass(frozen=True)
class PostgresSettings:
    """Where the database is and who we are there: the `PG_*` settings."""

    user: str
    password: str = field(repr=False)
    host: str
    """A host name, an address, or the folder of a Unix socket (starts with `/`; Cloud SQL)."""
    port: int
    database: str
    schema: str = "audio_extract"

    def url(self) -> URL:
        """The driver is always named: a bare `postgresql://` means psycopg 3 to SQLAlchemy 2.1."""
        is_socket = self.host.startswith("/")
        return URL.create(
            "postgresql+psycopg2",
            self.user,
            self.password,
            host=None if is_socket else self.host,
            port=None if is_socket else self.port,
            database=self.database,
            query={"host": self.host, "port": str(self.port)} if is_socket else {},
        )


def open_engine(settings: PostgresSettings) -> Engine:
    """An engine whose sessions see the project's schema, in UTC. Connects at first use.

    The small pool serves one process: the ledger's short transactions and one long read beside
    them. Errors of its statements never carry parameters, which hold phone numbers.
    """
    return create_engine(
        settings.url(),
        pool_size=4,
        max_overflow=4,
        pool_pre_ping=True,
        hide_parameters=True,
        json_serializer=to_json,
        connect_args={
            "application_name": "audio-extract",
            "client_encoding": "utf8",
            "connect_timeout": 10,
            # A firewall that forgets an idle connection must not hang a run for hours. The server
            # looks out for us in the same way, see `_session_options`.
            "keepalives": 1,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            # Keepalives say nothing while something that was sent has not been acknowledged.
            "tcp_user_timeout": 60_000,
            "options": _session_options(settings.schema),
        },
    )


def _session_options(schema: str) -> str:
    """libpq's `options`: separated by spaces, so spaces and backslashes of a value are escaped."""
    quoted = '"' + schema.replace('"', '""') + '"'
    search_path = re.sub(r"([\\\s])", r"\\\1", quoted)
    # Of a machine that is gone the server learns nothing, and would hold its locks for two hours.
    alive = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    # A process that was paused while it held a row must not stop all others without a word.
    patient = "-c lock_timeout=10min"
    return f"-c search_path={search_path} -c TimeZone=UTC {alive} {patient}"


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to read by; what goes wrong with it comes out as our errors."""
    with database_errors(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction: all of it or, if anything is raised, nothing. Errors likewise."""
    with database_errors(engine), engine.begin() as connection:
        yield connection


@contextmanager
def database_errors(where: PostgresSettings | Engine) -> Iterator[None]:
    """Turn the driver's errors into ours; everything else passes.

    The original is cut off: its text may show a whole row, with phone numbers. The traceback stays.
    """
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        raise explain(error, where).with_traceback(error.__traceback__) from None


def explain(
    error: exc.DBAPIError | exc.TimeoutError, where: PostgresSettings | Engine
) -> AudioExtractError:
    """What happened, for a person: `DatabaseUnavailable` or `DatabaseRefused`."""
    place = _address(where)
    if isinstance(error, exc.TimeoutError):
        return DatabaseUnavailable(
            f"No free connection to PostgreSQL within 30 s ({place}): this process keeps all of "
            "its connections busy."
        )
    state = sql_state(error) or ""
    if not state and not isinstance(error, _RAISED_BY_THE_DRIVER):
        return _explain_connection(error, place)
    diagnosis = getattr(error.orig, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or "no text"
    for prefix, advice in _PASSING.items():
        if state.startswith(prefix):
            return DatabaseUnavailable(f"PostgreSQL: {said} [{state}] ({place}). {advice}")
    for prefix, advice in _REFUSED.items():
        if state.startswith(prefix):
            return DatabaseRefused(f"PostgreSQL: {said} [{state}] ({place}). {advice}")
    # Any other text may quote a value of a row, so only the names of things are passed on.
    names = [
        f"{kind} {name}"
        for kind in ("table", "column", "constraint")
        if (name := getattr(diagnosis, f"{kind}_name", None))
    ]
    about = ", ".join([type(error.orig).__name__, *names])
    return DatabaseRefused(
        f"PostgreSQL refused a statement [{state}: {about}] ({place}). "
        "This is a fault of the program or of its data, not of the settings."
    )


def sql_state(error: exc.DBAPIError) -> str | None:
    """The five characters of PostgreSQL's error code; None when no server gave one."""
    state = getattr(error.orig, "pgcode", None)
    return state if isinstance(state, str) else None


# What the driver itself says of a statement or of a value. Any other error without a SQLSTATE means
# that no answer of the server came: also the plain `DatabaseError` that psycopg2 raises when libpq
# has no message for it.
_RAISED_BY_THE_DRIVER = (
    exc.ProgrammingError,
    exc.DataError,
    exc.IntegrityError,
    exc.NotSupportedError,
)

# By SQLSTATE or its class (PostgreSQL manual, appendix A), with what to do.
_PASSING = {
    "53100": "The server's disk is full: free space there; what was being written is unchanged.",
    "53300": "Too many connections: raise max_connections or run fewer days at the same time.",
    "08": "The connection broke.",
    "25006": "The server takes no writes: a replica, or a switch-over is under way.",
    "40": "Another transaction was in the way.",
    "53": "The server is out of a resource.",
    "55": "Something else holds a lock that is needed.",
    "57": "The server stopped the statement or is restarting.",
    "58": "The server's system failed.",
}
_REFUSED = {
    "28": "Check PG_USER and PG_PASSWORD.",
    "3D": "Check PG_DATABASE.",
    "3F": "The schema is missing: run `audio-extract migrate`.",
    "42501": "An administrator must grant this to PG_USER.",
    "42703": "The schema is older than the program: run `audio-extract migrate`.",
    "42P01": "The schema is missing or older than the program: run `audio-extract migrate`.",
}

# While connecting, libpq passes on the server's text only. A server that speaks another language
# is not recognised here: its refusal then counts as passing, and the text still tells the cause.
_REFUSED_AT_LOGIN = re.compile(
    r"password authentication failed|no password supplied|FATAL: .*does not exist"
    r"|no pg_hba\.conf entry|permission denied for database|not permitted to log in"
)


def _explain_connection(error: exc.DBAPIError, place: str) -> AudioExtractError:
    said = " ".join(str(error.orig).split())
    if _REFUSED_AT_LOGIN.search(said):
        return DatabaseRefused(
            f"PostgreSQL refused the login: {said} ({place}). "
            "Check PG_USER, PG_PASSWORD and PG_DATABASE."
        )
    return DatabaseUnavailable(
        f"PostgreSQL cannot be reached or went away: {said} ({place}). "
        "Check that it runs and that PG_HOST and PG_PORT are right."
    )


def _address(where: PostgresSettings | Engine) -> str:
    url = where.url() if isinstance(where, PostgresSettings) else where.url
    host = url.host or url.query.get("host")
    port = url.port or url.query.get("port")
    return f"PG_HOST={host}, PG_PORT={port}, PG_DATABASE={url.database}, PG_USER={url.username}"

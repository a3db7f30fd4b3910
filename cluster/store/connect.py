"""Connections to PostgreSQL, what its errors mean here, and how long to wait for a server that went away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import URL
from sqlalchemy.util import immutabledict

from cluster.store import schema, sessions
from coinswarm import codec, errors
from coinswarm.ledger.asking import INQUIRY
from coinswarm.retry import RetryPolicy, retry

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

CONNECT_TIMEOUT_S = 5
_RENEW_S = 240
"""A connection serves so long: a server process remembers each table that it met, and each job with chaos trades has tables of its own."""
_AWAY = ("08", "57P")
"""SQLSTATE classes of a connection that failed and of a server that is shutting down or starting."""
_TRY_AGAIN = ("40001", "40P01", "55P03", "53300")
"""Lost to another transaction, a lock that was not free, or too many connections for now."""
_PASSING = ("starting up", "shutting down", "recovery", "too many", "remaining connection slots", "terminating connection")
"""What a refusal at the door says that is worth another try: these come without a SQLSTATE."""
_DISK_FULL = "53100"
_READ_ONLY = "25006"
_NOT_ALLOWED = "42501"
_LOCKED = "55P03"
_CANCELLED = "57014"
_DATA_CLASS = "22"
_FOREIGN = (exc.DBAPIError, exc.TimeoutError, psycopg.Error)
_RULES = {"VT001": errors.Refused, "VT002": errors.Conflict}
"""What our own triggers raise, see the migrations."""


def engine(url: str, *, answer_s: float | None = None) -> sa.Engine:
    """An engine for a PostgreSQL URL, `postgresql://user:password@host:port/database`; nothing is connected yet.

    Args:
        url: the URL.
        answer_s: seconds that one statement may take; None: any.

    Raises:
        BadSetting: it is not such a URL.
    """
    made = sa.create_engine(
        parse(url),
        json_serializer=codec.dumps,
        json_deserializer=_read_json,
        pool_size=8,
        max_overflow=24,
        pool_recycle=_RENEW_S,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S, "application_name": "coinswarm", "client_encoding": "utf8", "keepalives_idle": 15,
            "keepalives_count": 3,
        },
    )  # fmt: skip
    sa.event.listen(made, "do_connect", partial(_connected, answer_s))
    return made


def parse(url: str) -> URL:
    """The parts of a PostgreSQL URL, with our driver.

    Raises:
        BadSetting: it is not one.
    """
    hint = "such as postgresql://user:password@host:5432/database"
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise errors.BadSetting("COINSWARM_DATABASE_URL must be a PostgreSQL URL", hint=hint) from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise errors.BadSetting("COINSWARM_DATABASE_URL must be a PostgreSQL URL", found=parsed.drivername, hint=hint)
    return parsed.set(drivername="postgresql+psycopg")


def split(url: str) -> tuple[str, dict[str, str]]:
    """A URL for a program that is started with it: without its password, which other accounts see among arguments, and variables with it.

    Raises:
        BadSetting: it is not a PostgreSQL URL.
    """
    parsed = parse(url)
    given = dict(parsed.query)
    password = given.pop("password", parsed.password)
    # `URL.set` takes None for "as it was", and writes a space of the query as a plus, which libpq takes for a plus
    plain = parsed._replace(drivername="postgresql", password=None, query=immutabledict()).render_as_string(hide_password=False)
    rest = f"?{urlencode(given, doseq=True, quote_via=quote, safe='/')}" if given else ""
    return f"{plain}{rest}", {} if password is None else {"PGPASSWORD": str(password)}


def run(made: sa.Engine, work: Callable[[sa.Connection], _T], *, patience_s: float) -> _T:
    """Do `work` in one transaction, again and again while the server is away, for at most `patience_s` seconds.

    `work` must be safe to repeat: a commit whose answer was lost may have happened. Where it is for an `Inquiry`, it ends when that leaves.

    Raises:
        Unavailable: no server answers, or the server refuses us; Refused: it cannot be used as it is, or the role may not;
        StorageFull: its disk is full; InvalidArgument: a value does not fit; TimedOut: a statement took too long, or was cancelled.
    """

    def transact() -> _T:
        inquiry = INQUIRY.get()
        with made.begin() as connection:
            if inquiry is None:
                return work(connection)
            with inquiry.asking(raw(connection).cancel_safe):
                return work(connection)

    def on_pause(error: Exception, pause_s: float) -> None:
        made.dispose()
        _log.warning("the database at %s is away, trying again in %.1f s: %s", where(made.url), pause_s, _first_line(error))

    try:
        return retry(transact, RetryPolicy(limit_s=patience_s, first_s=0.1, longest_s=5.0), on=_FOREIGN, when=_may_pass, on_pause=on_pause)
    except _FOREIGN as error:
        raise explained(error, made.url) from error


@contextmanager
def opened(url: str) -> Iterator[sa.Connection]:
    """One transaction on a connection of its own, which is closed afterwards; nothing is repeated.

    Raises:
        BadSetting: `url` is not a PostgreSQL URL; Unavailable, Refused, StorageFull, Conflict, InvalidArgument: as `run`.
    """
    made = engine(url)
    try:
        with made.begin() as connection:
            yield connection
    except _FOREIGN as error:
        raise explained(error, made.url) from error
    finally:
        made.dispose()


def raw(connection: sa.Connection) -> psycopg.Connection[Any]:
    """The driver's connection, for what SQLAlchemy has no words for; in the same transaction."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def explained(error: Exception, url: URL) -> errors.CoinswarmError:
    """An error of the database in this project's words; passwords stay out of it."""
    state, place, found = _state(error), where(url), f"'{_first_line(error)}'"
    if state in _RULES:
        return _RULES[state](_first_line(error))
    if state == _DISK_FULL:
        return errors.StorageFull(f"the database at {place} has no room left", hint="free disk space and resume the job")
    if state == _READ_ONLY:
        hint = "connect to the primary server, with a role that may write"
        return errors.Refused(f"the database at {place} must be one that can be written to", found=found, hint=hint)
    if state == _NOT_ALLOWED:
        hint = "give the role a schema of its own (CREATE SCHEMA name AUTHORIZATION role) and name that in search_path"
        return errors.Refused(f"the role must be allowed to use coinswarm's schema at {place}", found=found, hint=hint)
    if state == _CANCELLED:
        hint = "ask for less at once, or ask the database itself: `coinswarm db shell`"
        return errors.TimedOut(f"the database at {place} must answer in time", found=found, hint=hint)
    if state == _LOCKED:
        return errors.Conflict(f"the tables at {place} must be free", found=found, hint="end the connection that holds them and try again")
    if state.startswith(_DATA_CLASS) or isinstance(_cause(error), psycopg.DataError):
        return errors.InvalidArgument("a value does not fit the database", found=found)
    if isinstance(_cause(error), psycopg.OperationalError):
        hint = "start the server, or check COINSWARM_DATABASE_URL; without it the embedded database is used"
        return errors.DatabaseAway(f"the database at {place} must answer", found=found, hint=hint)
    return errors.Unavailable(f"the database at {place} refused", found=found, hint="see `coinswarm db status`")


def where(url: URL) -> str:
    """Host, port and database of a URL, without user and password."""
    host = url.host or url.query.get("host") or "the local socket"
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"


def _read_json(text: str | bytes) -> Any:
    return codec.loads(text if isinstance(text, str) else text.decode())


def _connected(answer_s: float | None, dialect: Any, _record: object, arguments: Any, parameters: Any) -> Any:
    """A connection that is prepared before SQLAlchemy asks anything of it, for its questions are not understood by every server."""
    connection = dialect.connect(*arguments, **parameters)
    try:
        sessions.prepare(connection, schema.HEAD, answer_s)
    except BaseException:
        connection.close()
        raise
    return connection


def _cause(error: Exception) -> BaseException:
    return (error.orig if isinstance(error, exc.DBAPIError) else None) or error


def _state(error: Exception) -> str:
    return str(getattr(_cause(error), "sqlstate", None) or "")


def _may_pass(error: Exception) -> bool:
    """Whether the same work may succeed a little later."""
    state = _state(error)
    if state:
        return state.startswith(_AWAY) or state in _TRY_AGAIN
    if not isinstance(_cause(error), (psycopg.OperationalError, psycopg.InterfaceError)):
        return False
    text = str(error)
    return "FATAL:" not in text or any(passing in text for passing in _PASSING)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(_cause(error)).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__

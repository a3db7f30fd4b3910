"""What a database holds and how big it is, for those who look after it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from cluster.store import connect, inventory, schema

_COUNTED = ("data_sets", "plays", "jobs", "generations")
_ESTIMATED = {"evaluations": "trials", "later scores": "later_scores"}
"""What the server's statistics count, by the table it is in; counting a hundred million rows takes minutes."""


@dataclass(frozen=True, kw_only=True)
class DatabaseState:
    """A database that answers.

    Size, connections and rows are of coinswarm alone, whatever else the database holds. `namespace` is the schema its tables are in. `rows`
    are counts, of large tables the server's own estimate, and empty for a schema that is not ours; `schema` is None before the first use.
    """

    place: str
    server: str
    namespace: str
    schema: str | None
    newest_schema: str
    size_bytes: int
    connections: int
    rows: dict[str, int]


def describe(url: str) -> DatabaseState:
    """Ask the database at `url` about itself; nothing is created.

    Raises:
        BadSetting: `url` is not a PostgreSQL URL; Unavailable: no server answers there.
    """
    with connect.opened(url) as connection:
        found = schema.version(connection)
        ours = inventory.Inventory(things=()) if found is None else inventory.take(connection)
        return DatabaseState(
            place=connect.where(connection.engine.url),
            server=str(connection.scalar(sa.text("SHOW server_version"))),
            namespace=str(connection.scalar(sa.text("SELECT current_schema()"))),
            schema=found,
            newest_schema=schema.HEAD,
            size_bytes=inventory.size_bytes(connection, ours),
            connections=1 + inventory.others(connection, ours),
            rows=_rows(connection) if found == schema.HEAD else {},
        )


def _rows(connection: sa.Connection) -> dict[str, int]:
    counted = {name: int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0) for name in _COUNTED}
    live = sa.text("SELECT n_live_tup FROM pg_stat_user_tables WHERE relid = to_regclass(:name)")
    return counted | {name: int(connection.scalar(live, {"name": table}) or 0) for name, table in _ESTIMATED.items()}

"""Everything in one schema: partitions of chaos trades move beside their table, and functions keep to the schema they are in.

Up to here partitions were in a schema `chaos_parts`, which only one coinswarm of a database can have, made by a role that may create
schemas. A function looked its tables up where its caller looks; now that of a trigger looks where the trigger's table is, and its locks are
of that schema.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FORMER = "chaos_parts"
GUARDS = ("guard_job", "guard_split", "guard_step", "guard_vetted")
HOME = "BEGIN\n    PERFORM set_config('search_path', quote_ident(TG_TABLE_SCHEMA), true);\n"
LOCK = "|| ' in ' || TG_TABLE_SCHEMA, 0)"
LONGEST_NAME = 63
PARTS = """
SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE inhparent = 'chaos_trades'::regclass AND nspname = :former ORDER BY relname
"""


def upgrade() -> None:
    connection = op.get_bind()
    home = _quoted(str(connection.scalar(sa.text("SELECT current_schema()"))))
    jobs = {_name(job): job for job in connection.scalars(sa.text("SELECT job FROM chaos_frames"))}
    for before in connection.scalars(sa.text(PARTS), {"former": FORMER}).all():
        after = _quoted(_name(f"chaos_trades_{jobs.get(before, before)}"))
        _execute(f"ALTER TABLE {FORMER}.{_quoted(before)} RENAME TO {after}")
        _execute(f"ALTER TABLE {FORMER}.{after} SET SCHEMA {home}")
    for name in GUARDS:
        _keep_home(name)
    op.execute("ALTER FUNCTION ancestors(text) SET search_path FROM CURRENT")


def _name(text: str) -> str:
    return text if len(text.encode()) <= LONGEST_NAME else hashlib.sha256(text.encode()).hexdigest()[:LONGEST_NAME]


def _keep_home(name: str) -> None:
    connection = op.get_bind()
    made = str(connection.scalar(sa.text("SELECT pg_get_functiondef(to_regproc(:name))"), {"name": name}))
    made = made.replace("BEGIN\n", HOME, 1)
    made = made.replace("arrow lifecycle_arrows;", "arrow record;")  # a type is looked up before the body says where
    for column in ("campaign", "evaluation"):
        made = made.replace(f" of ' || NEW.{column}, 0)", f" of ' || NEW.{column} {LOCK}")
    _execute(made)
    op.execute(f"ALTER FUNCTION {name}() SET search_path = pg_catalog")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _execute(text: str) -> None:
    op.execute(text.replace(":", r"\:"))

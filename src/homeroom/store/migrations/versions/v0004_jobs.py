"""Jobs that no handler can take are set aside, and payloads have types."""

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

JOBS = sa.table(
    "jobs",
    sa.column("id", sa.BigInteger()),
    sa.column("kind", sa.Text()),
    sa.column("payload", sa.Text()),
)


def upgrade() -> None:
    """Add the column, and turn the lists of paths in waiting jobs from JSON text into lists."""
    op.add_column("jobs", sa.Column("set_aside_at", sa.BigInteger(), nullable=True))
    connection = op.get_bind()
    query = sa.select(JOBS.c.id, JOBS.c.payload).where(JOBS.c.kind == "erase_files")
    for number, payload in connection.execute(query).all():
        try:
            fields = msgspec.json.decode(payload)
            fields["paths"] = msgspec.json.decode(fields["paths"])
        except (msgspec.DecodeError, KeyError, TypeError):
            # The worker sets it aside.
            continue
        text = msgspec.json.encode(fields).decode()
        connection.execute(sa.update(JOBS).where(JOBS.c.id == number).values(payload=text))

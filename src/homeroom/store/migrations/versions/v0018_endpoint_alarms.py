"""When the people of an endpoint were warned that it is stuck."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the time of the last alarm of an endpoint."""
    op.add_column("endpoints", sa.Column("alarmed_at", sa.BigInteger(), nullable=True))

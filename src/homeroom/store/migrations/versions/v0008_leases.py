"""A lease tells which servers may have it, so that a new one knows whether it ends."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the owner of a lease."""
    op.add_column("jobs", sa.Column("leased_by", sa.Text(), nullable=True))

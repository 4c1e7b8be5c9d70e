"""Files are found by their path, and SQLite uses no id of a deleted folder again."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Index the paths of files, and rebuild the table of folders on SQLite."""
    op.create_index("uq_files_path", "files", ["path"], unique=True)
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(
            "folders", recreate="always", table_kwargs={"sqlite_autoincrement": True}
        ):
            pass

"""The database: tables, statements, units of work; all SQL is here, written once for both engines."""

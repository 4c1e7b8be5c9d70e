"""The database: tables, statements, units of work; SQL is written here, once for both engines."""

"""The sandbox for tests: movable clock, fault injection, reset of schools and journal."""

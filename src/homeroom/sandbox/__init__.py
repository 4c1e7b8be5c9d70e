"""The sandbox: a clock to move, faults to ask for, schools to reset, a journal to read."""

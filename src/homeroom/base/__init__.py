"""What every room may use and what needs nothing of ours: time, ids, keys, settings, text."""

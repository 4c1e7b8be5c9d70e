"""Speed, as ratios against a limit that the same run measures: `make bench`."""

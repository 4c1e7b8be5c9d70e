"""The lowest layer, which every package may use: time, ids, keys, settings, text."""

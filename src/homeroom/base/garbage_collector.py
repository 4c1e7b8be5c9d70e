"""The garbage collector of Python, as a server needs it."""

import gc


def tune_garbage_collector() -> None:
    """Exclude what lives as long as the server from garbage collection.

    Collecting all of it took a fifth of the processor, and 30 ms at a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)

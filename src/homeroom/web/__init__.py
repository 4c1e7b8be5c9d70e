"""What the doors share: faults that were asked for, and the journal of requests."""

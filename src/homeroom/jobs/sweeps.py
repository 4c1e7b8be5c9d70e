"""The sweeps of a server, in their order."""

from homeroom.jobs.sweeper import Sweep
from homeroom.usecases import clips, message_retention, retention

SWEEPS = (
    Sweep(clips.find_overdue_schools, clips.sweep),
    Sweep(retention.find_overdue_schools, retention.sweep),
    Sweep(message_retention.find_overdue_schools, message_retention.sweep),
    Sweep(clips.find_schools_to_erase, clips.erase_deleted),
    Sweep(retention.find_schools_to_erase, retention.erase_swept),
)
"""What is deleted by age, and then, past the time for a restore, erased."""

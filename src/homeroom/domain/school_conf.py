"""Settings of a school that its own calls change (READINGS Q86)."""

from homeroom.base.values import Value


class SchoolConf(Value, frozen=True):
    """The settings that modifySchoolConf changes; both are on at first."""

    allows_replay: bool = True
    """Pages play the recordings of classes that are over."""
    allows_replay_to_new_students: bool = True
    """Students see the replays of classes that ended before they joined the course."""

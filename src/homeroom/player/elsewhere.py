"""The viewers of a class at other servers of the database."""

from dataclasses import dataclass, field

from homeroom.base.ids import ViewerId
from homeroom.domain.presence import RoomPresence
from homeroom.store.records import Viewer


@dataclass(slots=True)
class Elsewhere:
    """The viewers of a class at other servers."""

    keys: set[int] = field(default_factory=set)
    named: set[ViewerId] = field(default_factory=set)
    listed: list[Viewer] = field(default_factory=list)
    """The first of those with names, if a teacher is here."""
    counted: set[int] = field(default_factory=set)
    """Keys of those whose watch time another server counts."""

    def add(self, room: RoomPresence, *, is_first: bool) -> None:
        """Add the viewers at a server, which counts the watch time if it comes first."""
        for viewer in room.viewers:
            self.keys.add(viewer.key)
            if viewer.viewer is not None:
                self.named.add(viewer.viewer)
            if is_first and viewer.is_playing:
                self.counted.add(viewer.key)

"""The switches record, live and replay of a class, which change only together (READINGS Q52)."""

from typing import Annotated, Protocol

from msgspec import UNSET, UnsetType

from homeroom.contract.params import FLAG, ParamType, read_flag


def read_switch(raw: object) -> bool | None:
    """Read a switch that counts as sent although it is empty: None, which is off."""
    return None if raw == "" else read_flag(raw)


Switch = Annotated[
    bool | UnsetType | None,
    ParamType(
        read_switch,
        "1 is on, anything else is off; record, live and replay count only together",
        keeps_empty=True,
    ),
]
SceneSwitch = Annotated[bool | None, FLAG]


class RecordingSwitches(Protocol):
    """Parameters with the switches."""

    @property
    def record(self) -> bool | UnsetType | None:
        """UNSET if it was not sent, None if it was sent empty."""

    @property
    def live(self) -> bool | UnsetType | None:
        """UNSET if it was not sent, None if it was sent empty."""

    @property
    def replay(self) -> bool | UnsetType | None:
        """UNSET if it was not sent, None if it was sent empty."""

    @property
    def record_scene(self) -> bool | None:
        """None if it was not sent, or sent empty; it needs the other three."""


def list_missing_switches(sent: RecordingSwitches) -> list[str]:
    """Return what an incomplete set of switches lacks: nothing if it is complete or not sent.

    Three empty values ask for nothing: clients that send every field send them.
    """
    values = {"record": sent.record, "live": sent.live, "replay": sent.replay}
    missing = [name for name, value in values.items() if value is UNSET]
    if not missing and sent.record_scene is not None and not any_switch(sent):
        return list(values)
    is_set = len(missing) < len(values) or sent.record_scene is not None
    return missing if is_set else []


def any_switch(sent: RecordingSwitches) -> bool:
    """Tell whether one of the three switches has a value."""
    return any(isinstance(value, bool) for value in (sent.record, sent.live, sent.replay))

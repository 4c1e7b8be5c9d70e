"""Reports of device checks, as the teacher's page sends them."""

from ipaddress import IPv6Address, ip_address
from typing import Annotated, Final

import msgspec

from homeroom.base.clock import Moment
from homeroom.contract.messages.room import DeviceCheck

MAX_NAME: Final = 200
MAX_DEVICES: Final = 20
DELAY_MS: Final = 100_000

Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
Names = Annotated[list[Name], msgspec.Meta(max_length=MAX_DEVICES)]
Verdict = Annotated[int, msgspec.Meta(ge=0, le=2)]
"""0 not checked, 1 good, 2 bad."""

_SYSTEMS: Final = (
    # A part of the User-Agent, the name of the system, and DeviceType on the wire.
    ("iPad", "iPadOS", 3),
    ("iPhone", "iOS", 2),
    ("Android", "Android", 4),
    ("Windows", "Windows", 1),
    ("Macintosh", "macOS", 6),
    ("Linux", "Linux", 0),
)
_ANDROID_TABLET: Final = 5


class CheckedDevice(msgspec.Struct, frozen=True):
    """The result for one device, and all devices of its sort."""

    name: Name = ""
    names: Names = []
    program: Verdict = 0
    """What the page has measured."""
    user: Verdict = 0
    """What the teacher says."""


class DeviceReport(msgspec.Struct, frozen=True):
    """The result of a check."""

    camera: CheckedDevice = CheckedDevice()
    microphone: CheckedDevice = CheckedDevice()
    speaker: CheckedDevice = CheckedDevice()
    delay: Annotated[int, msgspec.Meta(ge=0, le=DELAY_MS)] | None = None
    """Milliseconds of a request to this server and back."""


def build_check(report: DeviceReport, user_agent: str, address: str, now: Moment) -> DeviceCheck:
    """Return the result of a check as it is sent."""
    system, device_type = _find_system(user_agent)
    devices = {
        "camera": report.camera.names,
        "micphone": report.microphone.names,
        "speaker": report.speaker.names,
    }
    return DeviceCheck(
        operating_system=system,
        network_delay=str(report.delay) if report.delay is not None else "",
        microphone_arbitrary=report.microphone.user,
        headphone_arbitrary=report.speaker.user,
        camera_arbitrary=report.camera.user,
        microphone_impersonal=report.microphone.program,
        headphone_impersonal=report.speaker.program,
        camera_impersonal=report.camera.program,
        camera_name=report.camera.name,
        microphone_name=report.microphone.name,
        speaker_name=report.speaker.name,
        devices=msgspec.json.encode(devices).decode(),
        add_time=now,
        device_type=device_type,
        client_ip=_mask_address(address),
    )


def _find_system(user_agent: str) -> tuple[str, int]:
    for part, system, device_type in _SYSTEMS:
        if part in user_agent:
            is_tablet = system == "Android" and "Mobile" not in user_agent
            return system, _ANDROID_TABLET if is_tablet else device_type
    return "", 0


def _mask_address(address: str) -> str:
    """Return an address without its last part."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return f"{parsed.exploded.rpartition(':')[0]}:*"
    return f"{str(parsed).rpartition('.')[0]}.*"

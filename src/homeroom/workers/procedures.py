"""What worker processes and the main process ask of each other."""

from collections.abc import Mapping
from typing import Final

import msgspec

from homeroom.domain.streams import PublishRefusal, StreamFacts
from homeroom.store.records import Job
from homeroom.web.merged_metrics import MetricFamily
from homeroom.workers.channel import Procedure


class MainStatus(msgspec.Struct, frozen=True):
    """The state of the main process at one moment."""

    facts: Mapping[str, StreamFacts]
    """Facts of the running streams, by name."""
    is_video_up: bool
    engine_problem: str
    clock_problem: str
    message_problem: str
    idle_seconds: float
    """Seconds since the job loop last turned."""
    behind_seconds: float
    """Seconds since no job was due."""


class Offer(msgspec.Struct, frozen=True):
    """The WebRTC offer of a browser that goes live."""

    push_url: str
    sdp: str


class OfferResult(msgspec.Struct, frozen=True):
    """The session and the SDP answer to an offer, or the reason why there is no session."""

    session: str = ""
    answer: str = ""
    refusal: PublishRefusal | None = None
    detail: str = ""


# --- at the main process ------------------------------------------------------------------------

REPORT_STARTED: Final[Procedure[int, None]] = Procedure("report_started", int, None)
"""The worker process of this number accepts connections."""
GET_STATUS: Final[Procedure[None, MainStatus]] = Procedure("get_status", None, MainStatus)
RUN_JOBS: Final[Procedure[list[Job], bool]] = Procedure("run_jobs", list[Job], bool)
START_SESSION: Final[Procedure[Offer, OfferResult]] = Procedure("start_session", Offer, OfferResult)
STOP_SESSION: Final[Procedure[str, None]] = Procedure("stop_session", str, None)
SCRAPE: Final[Procedure[None, bytes]] = Procedure("scrape", None, bytes)
"""Metrics of all processes, in the text format of Prometheus."""

# --- at a worker process ------------------------------------------------------------------------

SET_STATUS: Final[Procedure[MainStatus, None]] = Procedure("set_status", MainStatus, None)
FOLLOW_SANDBOX: Final[Procedure[int, None]] = Procedure("follow_sandbox", int, None)
"""The clock is this many seconds ahead now, or a school was reset."""
CHECK_ALIVE: Final[Procedure[None, None]] = Procedure("check_alive", None, None)
COLLECT_METRICS: Final[Procedure[None, list[MetricFamily]]] = Procedure(
    "collect_metrics", None, list[MetricFamily]
)

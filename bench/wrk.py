"""Load by `wrk`, which costs a tenth of the generator in Python: on two cores that matters."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.load import LoadPlan, Measured, check, drive_in_process

WRK = shutil.which("wrk")
SCRIPT = Path(__file__).with_name("wrk.lua")
RESULT = "result "


def describe_generator() -> str:
    """Return the name of the load generator, for the head of a report."""
    return "load by wrk" if WRK else "load by Python (install wrk: it leaves more to the server)"


def send_load(plan: LoadPlan) -> Measured:
    """Run a plan with the best generator for it; an answer without the marker fails."""
    if WRK is None or plan.requests_in_all:
        return drive_in_process(plan)
    with tempfile.NamedTemporaryFile() as file:
        file.write(_encode(plan.requests))
        file.flush()
        done = subprocess.run(
            [
                *(WRK, "--threads", "1", "--timeout", "10s"),
                *("--connections", str(plan.connections)),
                *("--duration", f"{max(1, round(plan.seconds))}s"),
                *("--script", str(SCRIPT), f"http://127.0.0.1:{plan.port}/"),
                *("--", file.name, str(plan.first_number), plan.marker),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    return check(_parse(done.stdout))


def _encode(requests: list[str]) -> bytes:
    """Return the requests as the script reads them: each with its length before it."""
    encoded = [request.encode() for request in requests]
    return b"".join(b"%d\n%s" % (len(request), request) for request in encoded)


def _parse(output: str) -> Measured:
    line = next(line for line in output.splitlines() if line.startswith(RESULT))
    answers, microseconds, median, p99, failed, sample = line.removeprefix(RESULT).split(" ", 5)
    other = [json.dumps(sample)[:300]] if int(failed) else []
    return Measured(
        int(answers), int(microseconds) / 1e6, float(median) / 1000, float(p99) / 1000, other
    )

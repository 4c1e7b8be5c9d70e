"""Processor time from /proc: of the event loop, of the other threads, and of the database.

Python 3.11 does not name its threads for the kernel, but the main thread, which runs the event
loop, has the number of its process.
"""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ServerCPU:
    """Seconds of processor time of a server and of its worker processes."""

    loop: float
    """Of the threads that run an event loop."""
    threads: float
    """Of all other threads: those of the store."""

    @property
    def total(self) -> float:
        return self.loop + self.threads

    def __sub__(self, earlier: "ServerCPU") -> "ServerCPU":
        """Return what was used between two readings."""
        return ServerCPU(self.loop - earlier.loop, self.threads - earlier.threads)


def read_server_cpu(pid: int) -> ServerCPU:
    """Return the processor time used so far by a process and its children, threads apart."""
    loop = threads = 0.0
    for process in list_processes(pid):
        for task in _list_folder(Path(f"/proc/{process}/task")):
            seconds = _read_seconds(Path(f"/proc/{process}/task/{task}/stat"))
            if int(task) == process:
                loop += seconds
            else:
                threads += seconds
    return ServerCPU(loop, threads)


def read_tree_seconds(pid: int) -> float:
    """Return the processor time of a process and of its children, also of those that ended."""
    return sum(
        _read_seconds(Path(f"/proc/{process}/stat"), has_children=process == pid)
        for process in list_processes(pid)
    )


def list_processes(pid: int) -> list[int]:
    """Return the numbers of a process and of all below it."""
    processes = [pid]
    for process in processes:
        for task in _list_folder(Path(f"/proc/{process}/task")):
            try:
                text = Path(f"/proc/{process}/task/{task}/children").read_text()
            except OSError:
                continue
            processes += map(int, text.split())
    return processes


def find_child(name: str) -> int:
    """Return the number of a process of ours by the name of its program."""
    for process in list_processes(os.getpid()):
        if Path(f"/proc/{process}/comm").read_text().strip() == name:
            return process
    raise LookupError(name)


def _list_folder(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []  # it has ended


def _read_seconds(path: Path, *, has_children: bool = False) -> float:
    try:
        fields = path.read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime and stime; cutime and cstime are of children that ended.
    return sum(map(int, fields[11 : 15 if has_children else 13])) / TICKS

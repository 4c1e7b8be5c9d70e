"""The disks that a power loss can leave behind a process, from a recording of what it wrote.

`strace` records each write, sync, rename and removal below a folder. `Disk` applies them one by one
and knows what is durable: the bytes of a file at its last sync, and the names in a folder at the
last sync of that folder. Nothing else has to survive. It may survive in part: a disk writes
sectors in any order.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

SECTOR: Final = 512
SYNCS: Final = ("fsync", "fdatasync")
CALLS: Final = (
    "openat,creat,write,writev,pwrite64,pwritev,ftruncate,truncate,fallocate,fsync,fdatasync,"
    "rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,mkdirat,copy_file_range,sendfile"
)
_CALL = re.compile(r"(\d+)\s+([\d.]+) (\w+)\((.*)\)\s+= (-?\d+)(.*)$")
_UNFINISHED = re.compile(r"(\d+)\s+[\d.]+ \w+\(.* <unfinished \.\.\.>$")
_RESUMED = re.compile(r"(\d+)\s+[\d.]+ <\.\.\. \w+ resumed>(.*)$")
_SECONDS = re.compile(r"<([\d.]+)>$")
_PATH = re.compile(r"[\"<]((?:\\x[0-9a-f]{2})+)[\">]")


def strace(log: Path) -> tuple[str, ...]:
    """Return the command that records the program after it; the program keeps its process id."""
    every_string = "100000000"
    return (
        *("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", every_string),
        *("-ttt", "-T", "-e", "signal=none", "-e", f"trace={CALLS}", "-o", str(log)),
    )


class FileCall(NamedTuple):
    """A system call that changes files."""

    at: float
    """When it returned, in seconds since 1970."""
    name: str
    arguments: str
    result: int
    paths: tuple[str, ...]
    """The paths among the arguments; the working folder may be one of them."""


def read_calls(log: Path) -> Iterator[FileCall]:
    """Return the successful calls of a recording in the order in which they returned."""
    unfinished: dict[str, str] = {}
    with log.open() as lines:
        for raw in lines:
            line = raw.rstrip("\n")
            if match := _UNFINISHED.match(line):
                unfinished[match[1]] = line.removesuffix(" <unfinished ...>")
                continue
            if match := _RESUMED.match(line):
                line = unfinished.pop(match[1]) + match[2]
            match = _CALL.match(line)
            if match is None or int(match[5]) < 0:
                continue
            _, began, name, arguments, result, rest = match.groups()
            seconds = _SECONDS.search(rest)
            at = float(began) + (float(seconds[1]) if seconds else 0.0)
            yield FileCall(at, name, arguments, int(result), tuple(_paths(name, arguments)))


def _paths(name: str, arguments: str) -> Iterator[str]:
    for match in _PATH.finditer(arguments):
        yield _decode(match[1]).decode(errors="surrogateescape")
        if "write" in name:
            return  # the other string is the content


def _decode(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


class _Write(NamedTuple):
    offset: int
    content: bytes


class _Truncation(NamedTuple):
    size: int


@dataclass
class _File:
    durable: bytes = b""
    unsynced: list[_Write | _Truncation] = field(default_factory=list)
    position: int = 0
    """Offset of the next plain write."""

    def content(self, keep: Callable[[], bool]) -> bytes:
        """Return the bytes after a power loss, with those unsynced sectors that `keep` keeps."""
        content = bytearray(self.durable)
        for change in self.unsynced:
            if isinstance(change, _Truncation):
                if keep():
                    _resize(content, change.size)
                continue
            for start in range(0, len(change.content), SECTOR):
                if keep():
                    _write(content, change.offset + start, change.content[start : start + SECTOR])
        return bytes(content)

    def sync(self) -> None:
        self.durable = self.content(lambda: True)
        self.unsynced = []


def _resize(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


def _write(content: bytearray, offset: int, new: bytes) -> None:
    _resize(content, max(len(content), offset + len(new)))
    content[offset : offset + len(new)] = new


class Disk:
    """The files below a folder: as a program sees them, and as a power loss would leave them."""

    def __init__(self, root: Path, ignored: Callable[[Path], bool]) -> None:
        """Take what the folder holds now as durable; ignored files are left out for good."""
        self._root = root
        self._ignored = ignored
        self._live: dict[Path, _File] = {
            path: _File(path.read_bytes())
            for path in root.rglob("*")
            if path.is_file() and not ignored(path)
        }
        self._durable = dict(self._live)

    def apply(self, call: FileCall) -> bool:
        """Apply a call; return whether it made something durable."""
        paths = [Path(path) for path in call.paths]
        inside = [path for path in paths if path.is_relative_to(self._root)]
        if inside and call.name in SYNCS:
            return self._sync(inside[0])
        if not inside or all(self._ignored(path) for path in inside):
            return False
        path = inside[0]
        match call.name:
            case "openat" | "creat":
                self._open(path, call.arguments)
            case "write" | "pwrite64":
                self._write(path, call)
            case "ftruncate" | "truncate":
                size = int(call.arguments.rpartition(", ")[2])
                self._live[path].unsynced.append(_Truncation(size))
            case "rename" | "renameat" | "renameat2":
                self._live[inside[1]] = self._live.pop(path)
            case "unlink" | "unlinkat":
                self._live.pop(path, None)
            case "mkdir" | "mkdirat":
                pass  # a folder is there with its files
            case _:
                message = f"no rule for {call.name}({call.arguments[:200]})"
                raise NotImplementedError(message)
        return False

    def write_to(self, folder: Path, choice: random.Random | None) -> None:
        """Write what is left after a power loss: nothing unsynced, or a random part of it."""

        def keep() -> bool:
            return choice is not None and choice.random() < 0.5

        names = dict(self._durable)
        for path in self._live.keys() | self._durable.keys():
            if self._live.get(path) is not self._durable.get(path) and keep():
                if path in self._live:
                    names[path] = self._live[path]
                else:
                    del names[path]
        for path, file in names.items():
            target = folder / path.relative_to(self._root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content(keep))

    def _sync(self, path: Path) -> bool:
        if path in self._live:
            self._live[path].sync()
            return True
        # A folder: the names in it are durable now.
        before = dict(self._durable)
        for names in (self._durable, self._live):
            for name in [name for name in names if name.parent == path]:
                if name in self._live:
                    self._durable[name] = self._live[name]
                else:
                    del self._durable[name]
        return self._durable != before

    def _open(self, path: Path, arguments: str) -> None:
        if "O_CREAT" in arguments and path not in self._live:
            self._live[path] = _File()
        if path in self._live and "O_TRUNC" in arguments:
            self._live[path].unsynced.append(_Truncation(0))
        if path in self._live and "O_CREAT" in arguments:
            self._live[path].position = 0

    def _write(self, path: Path, call: FileCall) -> None:
        file = self._live.get(path)
        if file is None:
            return  # a file without a name, or one that was removed while it was open
        encoded = call.arguments[call.arguments.index('"') + 1 : call.arguments.rindex('"')]
        content = _decode(encoded)[: call.result]
        if call.name == "pwrite64":
            offset = int(call.arguments.rpartition(", ")[2])
        else:
            offset, file.position = file.position, file.position + len(content)
        file.unsynced.append(_Write(offset, content))

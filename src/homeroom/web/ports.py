"""Listening sockets: of one process, or of several at the same port."""

import socket

BACKLOG = 1024


def bind(host: str, port: int) -> tuple[socket.socket, str]:
    """Take a port; returns its socket, and the URL that it is reached at. Raises `OSError`.

    A port at which anything listens is refused, even if it is shared.
    """
    taken = _create_socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        taken.bind((host, port))
    except OSError:
        taken.close()
        raise
    return taken, get_url(taken)


def get_url(taken: socket.socket) -> str:
    """Return the URL that a port is reached at."""
    name, number = taken.getsockname()[:2]
    host = f"[{name}]" if ":" in name else name
    return f"http://{host}:{number}"


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Listen; returns as `bind` does."""
    listener, url = bind(host, port)
    listener.listen(BACKLOG)
    return listener, url


def share(taken: socket.socket) -> None:
    """Let further sockets of this user take the port of a socket, which itself never listens.

    The kernel spreads connections evenly over the sockets of a port that listen.
    """
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def bind_again(shared: socket.socket) -> socket.socket:
    """Return another socket of a shared port."""
    more = _create_socket(shared.family)
    share(more)
    try:
        more.bind(shared.getsockname())
    except OSError:
        more.close()
        raise
    return more


def _create_socket(family: int) -> socket.socket:
    new = socket.socket(family)
    new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return new

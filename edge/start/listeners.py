"""The sockets that a process listens to, taken before anything else is begun."""

import errno
import socket
from collections.abc import Sequence

from edge.start.refusal import WRONG, StartRefused

Address = tuple[socket.AddressFamily, tuple[str, int]]


def open_listeners(host: str, port: int, *, names: tuple[str, str] = ("HOST", "PORT")) -> list[socket.socket]:
    """A listening socket for each address of the host; StartRefused, by one of `names`, where one is taken.

    With port 0 there is one socket, on a free port.
    """
    host_name, port_name = names
    listeners: list[socket.socket] = []
    for family, address in find_addresses(host, port, name=host_name)[: None if port else 1]:
        try:
            listeners.append(socket.create_server(address, family=family))
        except OSError as error:
            for listener in listeners:
                listener.close()
            if error.errno == errno.EADDRNOTAVAIL:
                raise StartRefused(
                    host_name, f"{host} is no address of this machine", exit_code=WRONG
                ) from None
            raise StartRefused(port_name, describe_refusal(error, host, port)) from None
    return listeners


def find_addresses(host: str, port: int, *, name: str) -> Sequence[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise StartRefused(name, f"no address is known for {host}", exit_code=WRONG) from None
    return list(dict.fromkeys((family, (str(address[0]), port)) for family, _, _, _, address in found))


def describe_refusal(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"{port} on {host} is taken by another process"
        case errno.EACCES:
            return f"{port} on {host} may not be used by this user"
    return f"{port} on {host} cannot be used: {error.strerror}"

# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy to go through."""

import contextlib
import socket
import threading


class ConnectProxy:
    """An HTTP proxy that does CONNECT, once."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.asked = None
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        near, _ = self.listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += near.recv(4096)
        self.asked = head.split()[1].decode()
        host, port = self.asked.split(":")
        far = socket.create_connection((host, int(port)))
        near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=self.pass_on, args=(far, near), daemon=True).start()
        self.pass_on(near, far)

    def pass_on(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

"""A loopback proxy that ends TLS with a throw-away certificate, as networks do that inspect traffic.

It answers itself, for any host: what `answer` gives for host + path. Nothing leaves the machine.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer: TypeAlias = Callable[[str, str], bytes]
"""From host and path (with query) to a whole HTTP answer."""


def authority(folder: Path, hosts: Sequence[str]) -> tuple[Path, ssl.SSLContext]:
    """Make an authority nobody knows; returns its certificate (a PEM file) and what serves `hosts` with it."""
    now = dt.datetime.now(dt.UTC)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Throw-away authority of a test")])

    def signed(builder: x509.CertificateBuilder) -> x509.Certificate:
        return (
            builder.issuer_name(root_name)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=2))
            .sign(root_key, hashes.SHA256())
        )

    root = signed(
        x509.CertificateBuilder()
        .subject_name(root_name)
        .public_key(root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
    )
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    leaf = signed(
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])]))
        .public_key(key.public_key())
        .add_extension(
            x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
    )
    bundle, chain = folder / "authority.pem", folder / "server.pem"
    pem = serialization.Encoding.PEM
    bundle.write_bytes(root.public_bytes(pem))
    chain.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + leaf.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return bundle, context


class TlsProxy:
    """Start it with `with`. `asked` holds host + path of what came through; `portal` answers CONNECT instead."""

    def __init__(self, context: ssl.SSLContext, answer: Answer) -> None:
        self.context, self.answer = context, answer
        self.asked: list[str] = []
        self.connects: list[str] = []
        self.portal: bytes = b""
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="tls-proxy")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> TlsProxy:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


def _handler(proxy: TlsProxy) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # a client that does not trust the certificate hangs up
                self.request.settimeout(20)
                host = _head(self.request).split()[1].rpartition(":")[0]
                proxy.connects.append(host)
                if proxy.portal:
                    self.request.sendall(proxy.portal)
                    return
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with proxy.context.wrap_socket(self.request, server_side=True) as link:
                    path = _head(link).split()[1]
                    proxy.asked.append(host + path)
                    link.sendall(proxy.answer(host, path))
                    with suppress(OSError):
                        link.unwrap()

    return Handler


def _head(link: socket.socket) -> str:
    """Everything up to the empty line."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = link.recv(65536)
        if not more:
            raise ConnectionError("closed before the end of the head")
        received += more
    return received.decode("latin-1")

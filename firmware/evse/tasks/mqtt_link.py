# SPDX-License-Identifier: MIT
"""One TCP or TLS connection to a broker, for asyncio: every step non-blocking and bounded in time.

What can stall the processor (DNS, the arithmetic of a TLS handshake) is the caller's to time; see
Station.may_stall. No MQTT here but the framing of link/mqtt_packet.
"""

import asyncio
import select
import socket
from time import ticks_diff, ticks_ms

from evse.faults import BROKER_OK, BROKER_TLS
from evse.link.mqtt_packet import Incoming

CONNECT_MS = 5000
SEND_MS = 5000
READ_BYTES = 256
DISCARD_BYTES = 1024  # of a packet too large to keep, and the pause after them: 100 KB/s at most
DISCARD_PAUSE_MS = 10
CERTS = "certs/"
_STEP_MS = 10
_IPPROTO_TCP = 6
_TCP_NODELAY = 1


class LinkError(Exception):
    """The connection failed or ended; the text says how. refusal: BROKER_* when one end does not trust the other."""

    def __init__(self, text: str, refusal: int = BROKER_OK):
        super().__init__(text)
        self.refusal = refusal


def is_numeric(host: str) -> bool:
    """Whether a host needs no name resolution."""
    return host.replace(".", "").isdigit()


def resolve(host: str, port: int):
    """Return the socket address of a host. Blocks in DNS unless the host is numeric."""
    try:
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
    except (OSError, IndexError) as error:
        raise LinkError("name '%s' not found (%s)" % (host, error)) from None


def tls_context():
    """Return a TLS client context of the files in certs/: ca.der, and client.der with client.key when there."""
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    try:
        context.load_verify_locations(_file("ca.der"))
    except OSError:
        raise LinkError("TLS needs %sca.der; put it there with `backfeed flash --ca`" % CERTS, BROKER_TLS) from None
    except ValueError as error:
        raise LinkError("TLS cannot read %sca.der: %s" % (CERTS, error), BROKER_TLS) from None
    try:
        certificate, key = _file("client.der"), _file("client.key")
    except OSError:
        return context  # the client certificate is optional
    try:
        context.load_cert_chain(certificate, key)
    except ValueError as error:
        raise LinkError("TLS cannot use %sclient.der and client.key: %s" % (CERTS, error), BROKER_TLS) from None
    return context


def _file(name: str) -> bytes:
    with open(CERTS + name, "rb") as file:
        return file.read()


class Link:
    """A connection. `heard_ms`: ticks of the last byte from the broker."""

    def __init__(self, receive_buffer):
        self.incoming = Incoming(receive_buffer)
        self.heard_ms = ticks_ms()
        self.said_ms = self.heard_ms
        self._socket = None
        self._stream = None
        self._shaking_hands = False  # TLS, until the broker has said something in it
        self._chunk = b""  # read, not yet taken
        self._taken = 0

    async def open(self, address, host: str, context) -> None:
        """Connect; context: TLS context or None. LinkError when it does not come about in 5 s."""
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._hurry()
        try:
            self._socket.connect(address)
        except OSError as error:
            from errno import EINPROGRESS

            if error.errno != EINPROGRESS:
                raise LinkError("connection refused (%s)" % error) from None
        await self._connected()
        if context is not None:
            self._wrap(context, host)
        self._stream = asyncio.StreamReader(self._socket)
        self.heard_ms = ticks_ms()

    def _hurry(self) -> None:
        """Switch Nagle's algorithm off: an acknowledgement must not wait 40 ms for the other end's TCP."""
        try:
            self._socket.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        except (OSError, ValueError, NotImplementedError):
            pass  # a port without it is slower, not wrong

    async def _connected(self) -> None:
        poller = select.poll()
        poller.register(self._socket, select.POLLOUT)
        started_ms = ticks_ms()
        while ticks_diff(ticks_ms(), started_ms) < CONNECT_MS:
            for _socket, events in poller.poll(0):
                if events & (select.POLLERR | select.POLLHUP):
                    raise LinkError("connection refused")
                if events & select.POLLOUT:
                    return
            await asyncio.sleep_ms(_STEP_MS)
        raise LinkError("no answer to connecting within %d ms" % CONNECT_MS)

    def _wrap(self, context, host: str) -> None:
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        except (OSError, ValueError) as error:
            raise LinkError("TLS: %s" % error, BROKER_TLS) from None
        self._socket.setblocking(False)
        self._shaking_hands = True

    async def send(self, view) -> None:
        """Write a whole packet; LinkError when the broker does not take it in 5 s."""
        try:
            self._stream.write(view)
            if self._stream.out_buf:  # the network did not take it all at once
                await asyncio.wait_for_ms(self._stream.drain(), SEND_MS)
            else:
                await asyncio.sleep_ms(0)
        except asyncio.TimeoutError:  # noqa: UP041 (not the builtin on MicroPython)
            raise LinkError("broker does not read: %d ms" % SEND_MS) from None
        except (OSError, ValueError) as error:  # mbedtls raises ValueError for a bad certificate
            raise self._failure("write failed", error) from None
        self.said_ms = ticks_ms()

    async def receive(self) -> None:
        """Wait for the next whole packet; it is in `incoming`. LinkError at the end of the connection."""
        incoming = self.incoming
        while True:
            if self._taken == len(self._chunk):
                await self._read(DISCARD_BYTES if incoming.overflowing else READ_BYTES)
            begin = self._taken
            self._taken = min(begin + incoming.wanted(), len(self._chunk))
            if incoming.take(self._chunk[begin : self._taken]):
                return
            if incoming.overflowing:
                await asyncio.sleep_ms(DISCARD_PAUSE_MS)

    async def _read(self, most: int) -> None:
        """Wait for the next bytes."""
        try:
            self._chunk = await self._stream.read(most)
        except (OSError, ValueError) as error:
            raise self._failure("read failed", error) from None
        if not self._chunk:
            if self._shaking_hands:
                raise LinkError("broker closed the connection during the TLS handshake", BROKER_TLS)
            raise LinkError("broker closed the connection")
        self._shaking_hands = False
        self._taken = 0
        self.heard_ms = ticks_ms()

    def _failure(self, what: str, error) -> LinkError:
        """Return the error of a broken connection; during a handshake it is a certificate that one end refuses."""
        if self._shaking_hands:
            return LinkError("TLS refused: %s; check certs/, the broker's certificate and its name" % error, BROKER_TLS)
        return LinkError("%s (%s)" % (what, error))

    async def answer(self, patience_ms: int) -> None:
        """Wait at most so long for the next whole packet."""
        try:
            await asyncio.wait_for_ms(self.receive(), max(1, patience_ms))
        except asyncio.TimeoutError:  # noqa: UP041 (not the builtin on MicroPython)
            raise LinkError("broker does not answer: %d ms" % patience_ms) from None

    def close(self) -> None:
        """Close; may be called at any time, any number of times."""
        if self._socket is None:
            return
        try:
            self._socket.close()
        except OSError:
            pass  # it is gone either way
        self._socket = None
        self._stream = None

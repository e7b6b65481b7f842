# SPDX-License-Identifier: MIT
"""One SNTP question (RFC 4330), non-blocking. The caller decides when a DNS stall is harmless."""

import asyncio
import random
import socket
from time import ticks_diff, ticks_ms

PORT = 123
TIMEOUT_MS = 2000
UNIX_EPOCH_S = 2208988800  # seconds from 1900 to 1970
ERA_S = 1 << 32


def request(nonce: bytes) -> bytes:
    """Return a version 4 client request whose transmit timestamp is 8 bytes of nonce."""
    return b"\x23" + bytes(39) + nonce


def answer(packet, nonce: bytes) -> int:
    """Return Unix seconds of a server's answer to our nonce, or 0 when it may not be believed."""
    if len(packet) < 48 or packet[0] & 7 != 4 or packet[0] >> 6 == 3:
        return 0  # not a server, or a server that says its clock is not set
    if not 1 <= packet[1] <= 15 or bytes(packet[24:32]) != nonce:
        return 0
    seconds = packet[40] << 24 | packet[41] << 16 | packet[42] << 8 | packet[43]
    if seconds < ERA_S >> 1:
        seconds += ERA_S  # second era, from 2036
    return seconds - UNIX_EPOCH_S


async def ask(host: str) -> int:
    """Return Unix seconds from an NTP server, or 0 when none answered in time."""
    try:
        address = socket.getaddrinfo(host, PORT, 0, socket.SOCK_DGRAM)[0][-1]
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, AttributeError):
        return 0
    try:
        link.setblocking(False)
        nonce = bytes([random.getrandbits(8) for _ in range(8)])
        link.sendto(request(nonce), address)
        started_ms = ticks_ms()
        while ticks_diff(ticks_ms(), started_ms) < TIMEOUT_MS:
            await asyncio.sleep_ms(20)
            try:
                packet = link.recv(64)
            except OSError:
                continue  # nothing there yet
            return answer(packet, nonce) if packet else 0
        return 0
    except OSError:
        return 0
    finally:
        link.close()

"""A network switch that keeps every frame for a while: latency for hosts of start.sh.

    switch.py HOSTS MILLISECONDS

Port i is the network interface `agport<i>`, which start.sh moves into host i. Frames go to the host
whose number is the last byte of their address, or to all. What a frame takes on its way besides,
through the kernel and through this program, is measured first and taken off its time.
"""

import fcntl
import heapq
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
# A sleeping process wakes up late by about this; before, it looks all the time.
LATE = 0.0002


def port(number):
    """Opens the port of a host; the interface lives as long as the file is open."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    name = f"agport{number}".encode()
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name, IFF_TAP | IFF_NO_PI))
    return tap


def overhead():
    """Seconds that reading a frame, keeping it and writing it take, at the median."""
    a, b = os.pipe()
    frame, times = bytes(1500), []
    for _ in range(200):
        start = time.monotonic()
        os.write(b, frame)
        select.select([a], [], [], 0)
        os.read(a, 65536)
        times.append(time.monotonic() - start)
    return sorted(times)[len(times) // 2]


def main():
    hosts, delay = int(sys.argv[1]), float(sys.argv[2]) / 1e3
    delay = max(0.0, delay - overhead())
    ports = {number: port(number) for number in range(1, hosts + 1)}
    waiting, order = [], 0
    while True:
        rest = waiting[0][0] - time.monotonic() - LATE if waiting else None
        readable, _, _ = select.select(ports.values(), [], [], rest and max(0.0, rest))
        for tap in readable:
            for _ in range(16):
                try:
                    frame = os.read(tap, 65536)
                except (BlockingIOError, OSError):
                    break
                to = [ports[frame[5]]] if frame[5] in ports else ports.values()
                due = time.monotonic() + delay
                for other in to:
                    if other != tap:
                        # Frames that are due at once go in the order in which they came.
                        order += 1
                        heapq.heappush(waiting, (due, order, other, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, tap, frame = heapq.heappop(waiting)
            try:
                os.write(tap, frame)
            except OSError:
                # Its host is not up, or has no room: the frame is lost, as on any network.
                pass


if __name__ == "__main__":
    main()

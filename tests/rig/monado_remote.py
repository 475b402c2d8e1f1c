"""Client of Monado's "remote" driver: moves a headset and two controllers over TCP, standard library only.

    remote = Remote(port=4242)
    remote.head.position = (1, 1.7, -2)
    remote.right.b_click = True
    remote.send()

Frame and units are OpenXR's: metres, x right, y up, -z forward, origin on the floor below the start; rotations are
unit quaternions in the order x, y, z, w. In Blender (base pose at the origin, unrotated, absolute tracking) the point
(x, y, z) is (x, -z, y), see `to_blender`. Nothing moves until `send`; the state is kept between calls.

Protocol: Monado 25.0, header "mndrmt3", packets of 376 bytes, little endian, the same layout in both directions. On
connection the server sends two packets, the state it resets to and the latest one. Devices show up as a headset and
two Valve Index controllers, profile /interaction_profiles/valve/index_controller.
"""

import math
import socket
import struct
from dataclasses import dataclass, field

HEADER = b"mndrmt3\0"
SIZE = 376
Vector3 = tuple[float, float, float]
IDENTITY = (0.0, 0.0, 0.0, 1.0)


def rotation(axis: str, degrees: float) -> tuple[float, float, float, float]:
    """Quaternion (x, y, z, w) of a turn about one OpenXR axis: y positive looks left, x positive looks up."""
    half = math.radians(degrees) / 2
    return tuple(math.sin(half) * (name == axis) for name in "xyz") + (math.cos(half),)


def to_blender(position: Vector3) -> Vector3:
    """An OpenXR position as Blender world coordinates (base pose at the origin)."""
    x, y, z = position
    return x, -z, y


@dataclass
class Pose:
    position: Vector3  # metres
    rotation: tuple = IDENTITY  # x, y, z, w

    def pack(self) -> bytes:
        return struct.pack("<4f3f", *self.rotation, *self.position)


@dataclass
class Controller(Pose):
    """One Index controller. Analogue values are 0..1, sticks -1..1 (right, up), the rest pressed or not."""

    linear_velocity: Vector3 = (0.0, 0.0, 0.0)  # metres per second
    angular_velocity: Vector3 = (0.0, 0.0, 0.0)  # radians per second
    hand_curl: tuple = (0.0,) * 5  # thumb to little finger
    trigger: float = 0.0  # /input/trigger/value
    squeeze: float = 0.0  # /input/squeeze/value
    squeeze_force: float = 0.0
    thumbstick: tuple = (0.0, 0.0)  # /input/thumbstick/x and /y
    trackpad_force: float = 0.0  # /input/trackpad/force
    trackpad: tuple = (0.0, 0.0)
    hand_tracking_active: bool = True
    active: bool = True  # False: the controller disappears
    system_click: bool = False
    system_touch: bool = False
    a_click: bool = False
    a_touch: bool = False
    b_click: bool = False  # /input/b/click
    b_touch: bool = False
    trigger_click: bool = False
    trigger_touch: bool = False
    thumbstick_click: bool = False
    thumbstick_touch: bool = False
    trackpad_touch: bool = False

    def pack(self) -> bytes:
        """120 bytes."""
        return super().pack() + struct.pack(
            "<3f3f5f 3f 2f f 2f 13?3x",
            *self.linear_velocity,
            *self.angular_velocity,
            *self.hand_curl,
            self.trigger,
            self.squeeze,
            self.squeeze_force,
            *self.thumbstick,
            self.trackpad_force,
            *self.trackpad,
            self.hand_tracking_active,
            self.active,
            self.system_click,
            self.system_touch,
            self.a_click,
            self.a_touch,
            self.b_click,
            self.b_touch,
            self.trigger_click,
            self.trigger_touch,
            self.thumbstick_click,
            self.thumbstick_touch,
            self.trackpad_touch,
        )


@dataclass
class Remote:
    """The connection and the state that the next `send` will set. Starts standing, hands half a metre ahead."""

    port: int = 4242
    host: str = "127.0.0.1"
    head: Pose = field(default_factory=lambda: Pose((0.0, 1.6, 0.0)))
    left: Controller = field(default_factory=lambda: Controller((-0.2, 1.3, -0.5)))
    right: Controller = field(default_factory=lambda: Controller((0.2, 1.3, -0.5)))
    field_of_view: float = 0.8  # radians from the middle to each side

    def __post_init__(self):
        self.socket = socket.create_connection((self.host, self.port), timeout=5)
        self.reset_state, self.latest_state = self._receive(), self._receive()

    def _receive(self) -> bytes:
        data = b""
        while len(data) < SIZE:
            part = self.socket.recv(SIZE - len(data))
            if not part:
                raise EOFError(f"Monado closed the connection after {len(data)} bytes")
            data += part
        return data

    def send(self) -> None:
        half = self.field_of_view
        view = struct.pack("<4f4f3f4x", -half, half, half, -half, *IDENTITY, 0.0, 0.0, 0.0)  # left right up down
        packet = HEADER + view * 2 + self.head.pack() + bytes(4) + self.left.pack() + self.right.pack()
        assert len(packet) == SIZE, len(packet)
        self.socket.sendall(packet)

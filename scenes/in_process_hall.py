"""A hall whose network runs in this process, without a bridge of its own process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..blender_addon.actions.bridge import use_connection
from ..blender_addon.live import timer
from ..blender_addon.live.bridge_connection import BridgeConnection
from ..blender_addon.live.session import current
from ..blender_addon.properties import NETWORK_NAME
from ..blender_addon.scene.hall import store
from ..blender_addon.scripting import Hall
from ..blender_addon.scripting.inputs import arguments_in
from ..torch_bridge.client import BridgeInput
from ..torch_bridge.recording.arguments import checked_arguments
from ..torch_bridge.recording.errors import BridgeError, ModelError

if TYPE_CHECKING:
    from torch import nn

    from ..torch_bridge.server.local_bridge import LocalBridge

Self = TypeVar("Self", bound="InProcessHall")
CONNECT_SECONDS = 60.0


class InProcessHall(Hall):
    """A hall whose network runs in this process; everything else is as in `Hall`."""

    @classmethod
    @checked_arguments
    def of(
        cls: type[Self], model: nn.Module | str, *inputs: Any, name: str = "", device: str = "", **spec: Any
    ) -> Self:
        """Runs a network in this process, and builds its hall.

        model: an `nn.Module`, which keeps its device and mode, or a text: a torchvision name, package.module:function,
        a .pt2 file, or a shipped network. inputs: as in `place`; of one tuple or dict of arguments the network gets
        everything as it is, but for paths and texts that name inputs; without any, the network's own first input. name:
        of the network. device: such as cuda or cpu, for a model named by a text. spec: fields of a `RecordSpec`, such
        as weights, classes, arguments, size, mean, std. Raises ModelError, InputError or ArgumentError.
        """
        bridge = _local_bridge()
        network = bridge.add_network(model, name, device, spec)
        current().link.description = bridge.describe()
        try:
            return cls._built(network, inputs)
        except BaseException:
            _remove_network(network)
            raise

    def remove(self) -> None:
        """Removes the hall from the open file, and its network from memory unless another hall shows it."""
        network = str(self.scene.get(NETWORK_NAME, ""))
        super().remove()
        if not any(scene.get(NETWORK_NAME) == network for scene in store.halls()):
            _remove_network(network)

    @classmethod
    def _bridge_inputs(cls, network: str, inputs: tuple[Any, ...]) -> list[BridgeInput]:
        local = _joined_local()
        arguments = arguments_in(inputs)
        is_held = arguments is not inputs or (inputs and all(hasattr(value, "detach") for value in inputs))
        if local is None or not is_held:
            return super()._bridge_inputs(network, inputs)
        return local.hold(network, arguments)

    def _data_name(self, data: Path | str) -> str:
        local = _joined_local()
        if local is None or not data or (str(data) in local.service.data and not Path(data).exists()):
            return str(data)
        name = local.add_data(data)
        current().link.description = local.describe()
        return name


InProcessHall.__name__ = InProcessHall.__qualname__ = "Hall"  # as scripts, help and errors name it


def _joined_local() -> LocalBridge | None:
    """Returns the bridge in this process; None if there is none, or another is joined."""
    bridge: Any = current().link.bridge if current().state == "ready" and current().link.in_process else None
    return bridge


def _local_bridge() -> LocalBridge:
    """Returns the bridge in this process, which is joined first if there is none. Raises ModelError or BridgeError."""
    try:
        from ..torch_bridge.server.local_bridge import LocalBridge
    except ModuleNotFoundError as error:
        raise ModelError(f"this Python has no {error.name}; open a recording, or join a bridge that has it") from None
    session = current()
    if session.state in ("off", "ended"):
        use_connection(BridgeConnection(LocalBridge()))
        timer.wait(lambda: session.state == "ready", CONNECT_SECONDS)
    bridge = _joined_local()
    if bridge is None:
        raise BridgeError("a bridge is joined; call Hall.leave_bridge() first, or Hall.join for its networks")
    return bridge


def _remove_network(network: str) -> None:
    local, session = _joined_local(), current()
    if local is not None:
        local.remove_network(network)
        session.link.description = local.describe()
        session.forget_weights(network)

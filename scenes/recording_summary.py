"""The lines about a recording that `record` and `ask` print."""

from __future__ import annotations

from collections.abc import Sequence

from ..torch_bridge.recording import Endpoint, Recording


def summarise(recording: Recording) -> str:
    """Summarises a recording in a few lines for the terminal."""
    network = recording.network
    size = sum(maps.texels.nbytes for maps in recording.all_maps.values())
    lines = [
        ("network", f"{network.name}, {len(network.layers)} layers, {network.parameters:,} parameters"),
        ("weights", network.weights or ("trained" if network.trained else "random")),
        ("input", recording.input_name),
        ("takes", _names(recording.inputs)),
        ("returns", _names(recording.outputs)),
        ("preprocessing", recording.provenance.get("preprocessing", "unknown")),
        ("recorded", f"maps of {len({layer for layer, _ in recording.all_maps})} layers, {size / 1e6:.1f} MB"),
    ]
    if left_out := recording.provenance.get("weights_left_out"):
        lines.insert(2, ("left out", left_out))
    if ablated := recording.provenance.get("ablated"):
        lines.append(("ablated", "; ".join(f"{layer}: {', '.join(map(str, ablated[layer]))}" for layer in ablated)))
    places = list(dict.fromkeys(maps.place for maps in recording.all_maps.values() if maps.place))
    if places:
        lines.append(("shown", f"{', '.join(places[:4])}{', …' if len(places) > 4 else ''}; --position chooses others"))
    lines += [("answer", f"{share:6.1%}  {name}") for _, name, share in recording.prediction.top[:5]]
    odd = {layer: maps.nonfinite for (layer, _), maps in recording.all_maps.items() if maps.nonfinite}
    if odd:
        lines.append(("warning", f"{sum(odd.values()):,} values are NaN or infinite, first in layer {next(iter(odd))}"))
    return "\n".join(f"{name:<14} {text}" for name, text in lines)


def _names(endpoints: Sequence[Endpoint]) -> str:
    """Lists the names and kinds of inputs or outputs."""
    return ", ".join(f"{own.name} ({own.kind})" for own in endpoints) or "nothing that is a tensor"

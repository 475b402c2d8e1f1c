"""Writes flat figures of recordings, and of halls of Blender files, as PNG, SVG or PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...blender_addon.output.output_files import check_place, replaced
from ...blender_addon.output.page_png import png_file
from ...blender_addon.pages.figure import draw_figure
from ...blender_addon.pages.page import FlatPage
from ...blender_addon.pages.page_options import PAGE_PRESETS, PageOptions, check_page_options
from ...blender_addon.pages.svg import svg_file
from ...torch_bridge.recording import Recording, load
from ...torch_bridge.recording.errors import SceneError

FLAT_ONLY = ("width", "dpi", "channels", "beside")
"""Options that Blender's pictures don't have."""


def page_options(values: Mapping[str, Any]) -> PageOptions:
    """Returns the options of a flat figure from those of a recipe, by name.

    Raises SceneError for one that only Blender's pictures have.
    """
    for name in ("size", "samples", "engine", "transparent"):
        if values.get(name) is not None:
            raise SceneError(f"preset {values['preset']} is flat and has no {name}; it has width and dpi")
    known = {field.name for field in fields(PageOptions)}
    chosen: dict[str, Any] = {name: value for name, value in values.items() if name in known and value is not None}
    for name in {"collapse", "channels"} & chosen.keys():
        chosen[name] = tuple(chosen[name])
    return PageOptions(**chosen)


def refuse_page_options(values: Mapping[str, Any]) -> None:
    """Raises SceneError for an option, by name, that only flat figures have."""
    if wrong := next((name for name in FLAT_ONLY if values.get(name)), None):
        raise SceneError(f"{wrong} is for the flat presets {', '.join(PAGE_PRESETS)}; choose one, or leave it out")


def write_page_figure(
    source: Recording | Path | str,
    out: Path | str,
    options: PageOptions,
    *,
    beside: Sequence[Path | str] = (),
    scene: str | None = None,
) -> Path:
    """Writes a flat figure of a recording, its folder or a .blend file; the same input gives the same bytes.

    out: a .png, .svg or .pdf file. beside: folders of further recordings, for the presets grid and overlay. scene: name
    of the hall of a Blender file, by default the first. Raises SceneError, RecordingError, UnknownName, or ImportError
    where reportlab is missing; then nothing is written.
    """
    out = Path(out)
    suffix = out.suffix.lower()
    if suffix not in WRITERS:
        raise SceneError(f"{out}: a flat figure is a {', '.join(WRITERS)} file; name it {out.stem or 'plate'}.pdf")
    check_place(out, suffix)
    check_page_options(options)
    writer = WRITERS[suffix]()
    recording, options = (source, options) if isinstance(source, Recording) else _open(Path(source), scene, options)
    content = writer(draw_figure([recording, *map(load, beside)], options))
    with replaced(out, suffix) as part:
        part.write_bytes(content)
    return out


def _open(path: Path, scene: str | None, options: PageOptions) -> tuple[Recording, PageOptions]:
    """Opens a recording, or a hall of a .blend file, whose own options replace defaults."""
    if path.suffix != ".blend":
        return load(path), options
    from ...blender_addon.output.figure_options import open_source
    from ...blender_addon.output.flat_figure import with_hall_options
    from ...blender_addon.scene.state.data_blocks import temporary_data

    with temporary_data():
        opened = open_source(path, scene)
        return opened.recording, with_hall_options(options, opened)


def _pdf_writer() -> Callable[[FlatPage], bytes]:
    from .pdf_page import pdf_file

    return pdf_file


WRITERS: dict[str, Callable[[], Callable[[FlatPage], bytes]]] = {
    ".png": lambda: png_file,
    ".svg": lambda: svg_file,
    ".pdf": _pdf_writer,
}
"""By ending of the file's name: imports and returns what encodes a page."""

"""`innerwalk render` of a recipe with a film: renders the frames that are not there yet, then writes the film."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ...torch_bridge.recording import Progress
from ...torch_bridge.recording.errors import SceneError
from .child_process import ChildProcess
from .dask_farm import run_by_dask
from .film_bundle import FilmBundle, original_names, unpack
from .film_job import FilmJob
from .film_output import check_film_output, write_film, write_poster
from .frame_folder import FrameFolder, read_facts
from .frame_ranges import as_text, choose_frames
from .local_farm import run_by_children, threads_for
from .rendering import BundledFilm, open_bundled_film, render_here

Stream = Generator[tuple[int, bytes], None, None]
"""Frames and their PNG files, in any order."""
MAX_TOLD = 8
"""Ranges of frames that a line names."""


def render_film(
    bundle: FilmBundle, out: Path, job: FilmJob, stated: Mapping[str, Any], progress: Progress
) -> Iterator[str]:
    """Renders a film's missing frames into a folder beside `out`, writes the film if it has all; yields lines on it.

    stated: the recipe's section [film]. A stopped job loses no frame that it has rendered. Raises InnerwalkError.
    """
    job.check()
    poster, spherical = stated.get("poster", 0), stated.get("panorama", False)
    with tempfile.TemporaryDirectory() as scratch, original_names(bundle, Path(scratch) / "film"):
        stored = {digest: bundle.files[name] for name, digest in bundle.hashes.items()}
        recipe = unpack(bundle, stored, Path(scratch) / "film")
        film = open_bundled_film(recipe, bundle.film)
        everything = range(1, film.frames.frame_count + 1)
        frames = choose_frames(job.frames, len(everything))
        choose_frames([range(poster, poster + 1)] if poster else [], len(everything))
        check_film_output(out, film.frames.size, len(everything), film.frames.rate, spherical=spherical)
        place = out.with_name(f"{out.stem}_frames") if out.suffix else out
        if place.is_symlink():
            raise SceneError(
                f"{place}: it is a link, which may lead out of the folder; remove it, or name another output"
            )
        folder = FrameFolder(place, film.frames.size, bundle.film)
        there = folder.renderers(frames)
        missing = [frame for frame in frames if frame not in there]
        with closing(_stream(missing, bundle, recipe, film, job)) as stream:
            _collect(stream, folder, there, len(missing), job.mixed, _part(progress, 0.0, 0.95))
    yield f"{len(missing)} frames rendered, {len(frames) - len(missing)} were there: {folder.path}"
    there |= folder.renderers(frame for frame in everything if frame not in there)  # others may render them
    if left := [frame for frame in everything if frame not in there]:
        yield f"frames {as_text(left, MAX_TOLD)} are still to be rendered; then the film is written"
        return
    _refuse_mixed(there.values(), folder, job.mixed)
    if poster:
        yield f"saved {write_poster(folder, poster, out.with_name(f'{out.stem}_poster.png'))}"
    newest = max(folder.file(frame).stat().st_mtime_ns for frame in everything)
    if not missing and out.is_file() and out.stat().st_mtime_ns >= newest:
        yield f"{out} is of these frames already"
    elif out.suffix:
        write_film(folder, everything, out, film.frames.rate, _part(progress, 0.95, 1.0), spherical=spherical)
        yield f"saved {out}"


def _stream(missing: Sequence[int], bundle: FilmBundle, recipe: Path, film: BundledFilm, job: FilmJob) -> Stream:
    if job.scheduler and missing:
        return run_by_dask(missing, bundle, job.scheduler)
    if job.workers and missing:
        threads = threads_for(job.workers)
        return run_by_children(missing, job.workers, lambda: ChildProcess(recipe, bundle.film, threads))
    return render_here(film, missing)


def _collect(
    stream: Stream, folder: FrameFolder, there: dict[int, str], count: int, mixed: bool, progress: Progress
) -> None:
    """Writes frames as they come and notes them in `there`. Raises SceneError for a farm whose frames would differ."""
    _refuse_mixed(there.values(), folder, mixed)
    progress("rendering frames", 0.0)
    for done, (frame, png) in enumerate(stream, 1):
        facts = read_facts(png, folder.size)
        there[frame] = facts.renderer if facts else ""
        _refuse_mixed((next(iter(there.values())), there[frame]), folder, mixed)
        folder.write(frame, png)
        progress("rendering frames", done / count)


def _refuse_mixed(renderers: Iterable[str], folder: FrameFolder, mixed: bool) -> None:
    """Raises SceneError for frames of several renderers, whose pixels may differ."""
    if not mixed and len(found := list(dict.fromkeys(renderers))) > 1:
        raise SceneError(
            f"frames rendered by {found[0]} and by {found[1]} may differ; use one kind of machine and version with the "
            f"frames that are in {folder.path}, remove these, or add --mixed"
        )


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda doing, done: progress(doing, start + (end - start) * done)

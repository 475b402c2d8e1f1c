"""Style of the source: sizes of rooms, files and functions, names, docstrings, annotations, hidden state."""

import ast
import re
import statistics
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("torch_bridge", "blender_addon", "scenes", "bench")
MAY_PRINT = ("scenes/cli.py", "scenes/recipe_commands.py", "scenes/series_command.py", "bench/")
MAX_FILE, MEDIAN_FILE = 350, 110
MAX_FUNCTION, MEDIAN_FUNCTION, EXCEPTIONS = 40, 9, 1
"""Lines of a function without its signature and docstring; one function of the tree may be longer."""
MAX_MODULES = 20
"""Modules of a room; `methods` is exempt because each of its files is one method."""
DOCSTRING_SHARE = 0.20
VAGUE = {"asked", "given", "made", "one", "said", "told"}
"""Words that say nothing about what a variable, function, argument or attribute holds."""
SHAPE = re.compile(r"\([^()]*,[^()]*\)|\([*\w]+\)|\bscalar\b|\b(?:any|same) shape\b")
ARRAY = re.compile(r"\b(?:ndarray|Tensor)\b")

BANNED = {
    "random": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.seed": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.rand": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.randn": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.randint": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.choice": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.permutation": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.shuffle": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.uniform": "hidden state: hand a seeded numpy Generator down",
    "numpy.random.normal": "hidden state: hand a seeded numpy Generator down",
    "uuid": "another name at every run: derive it from the content",
    "time.time": "the wall clock: nothing made here depends on the day",
    "datetime.datetime.now": "the wall clock: nothing made here depends on the day",
    "datetime.date.today": "the wall clock: nothing made here depends on the day",
    "os.urandom": "hidden state: hand a seeded numpy Generator down",
    "pickle": "pickle runs arbitrary code",
}
RESTORES_GENERATORS = "torch_bridge/capture/guard.py"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def trees() -> dict[str, ast.Module]:
    paths = [ROOT / "__init__.py", *sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def lines(name: str) -> int:
    return len((ROOT / name).read_text(encoding="utf-8").splitlines())


def functions() -> Iterator[tuple[str, Function]]:
    for name, tree in trees().items():
        yield from ((name, node) for node in ast.walk(tree) if isinstance(node, Function))


def public() -> Iterator[tuple[str, Function]]:
    """Functions of a module and methods of its public classes, without a leading underscore."""
    for name, tree in trees().items():
        owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
        for owner in owners:
            yield from ((name, node) for node in owner.body if isinstance(node, Function) and node.name[0] != "_")


def length(node: Function) -> int:
    """Lines of the body: neither the signature, which grows with annotations, nor the docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_files_are_short():
    sizes = {name: lines(name) for name in trees()}
    assert not {name: size for name, size in sizes.items() if size > MAX_FILE}
    assert statistics.median(sizes.values()) <= MEDIAN_FILE


def test_functions_are_short():
    sizes = {f"{name}:{node.name}": length(node) for name, node in functions()}
    long = {name: size for name, size in sizes.items() if size > MAX_FUNCTION}
    assert len(long) <= EXCEPTIONS, long
    assert statistics.median(sizes.values()) <= MEDIAN_FUNCTION


def test_rooms_are_small():
    rooms = defaultdict(list)
    for name in trees():
        room, _, module = name.rpartition("/")
        if module != "__init__.py":
            rooms[room].append(module)
    exempt = ("bench", "torch_bridge/methods")
    assert not {room: len(found) for room, found in rooms.items() if len(found) > MAX_MODULES and room not in exempt}


def test_every_room_says_what_it_is_for_and_what_it_exports():
    """One or two lines, and `__all__`; a room of scripts may export nothing."""
    for name, tree in trees().items():
        if name.endswith("/__init__.py"):
            summary = ast.get_docstring(tree) or ""
            assert 0 < len(summary.split("\n\n")[0]) <= 240, name
            assert any(isinstance(node, ast.Name) and node.id == "__all__" for node in ast.walk(tree)), name


def test_no_two_public_classes_share_a_name():
    """`Parameters` of a method stays in its file."""
    places = defaultdict(list)
    for name, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name[0] != "_" and node.name != "Parameters":
                places[node.name].append(name)
    assert not {name: found for name, found in places.items() if len(found) > 1}


def bound_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every name that the source gives to something: functions, classes, arguments, variables, attributes, imports."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((node.lineno, alias.asname or alias.name) for alias in node.names)


def test_names_say_what_they_hold():
    vague = [
        f"{name}:{line} {found}"
        for name, tree in trees().items()
        for line, found in bound_names(tree)
        if found.strip("_") in VAGUE
    ]
    assert not vague, "\n".join(vague)


def annotations(node: Function) -> str:
    """The annotations of arguments and result, as text."""
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    found = [argument.annotation for argument in arguments] + [node.returns]
    return " ".join(ast.unparse(annotation) for annotation in found if annotation is not None)


def test_functions_of_arrays_state_shapes():
    """Public functions and methods that take or return an array give a shape, such as (C, H, W), in their docstring."""
    bare = [
        f"{name}:{node.lineno} {node.name}"
        for name, node in public()
        if ARRAY.search(annotations(node)) and not SHAPE.search(ast.get_docstring(node) or "")
        if not name.startswith("bench/")
    ]
    assert not bare, "\n".join(bare)


def array_fields() -> Iterator[tuple[str, str]]:
    """(place, documentation) of each annotated array field of a public class; the class may document it."""
    for name, tree in trees().items():
        for owner in tree.body:
            if not isinstance(owner, ast.ClassDef) or owner.name[0] == "_" or name.startswith("bench/"):
                continue
            for node, after in zip(owner.body, (*owner.body[1:], None), strict=True):
                if isinstance(node, ast.AnnAssign) and ARRAY.search(ast.unparse(node.annotation)):
                    text = ast.unparse(after) if isinstance(after, ast.Expr) else ""
                    yield f"{name}:{node.lineno} {owner.name}", f"{ast.get_docstring(owner)}\n{text}"


def test_fields_of_arrays_state_shapes():
    assert not [place for place, documentation in array_fields() if not SHAPE.search(documentation)]


def test_only_tables_are_formatted_by_hand():
    """`# fmt: skip` stands behind constants that are tuples, lists, dicts or sets, in modules and classes."""
    wrong = []
    for name, tree in trees().items():
        bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
        tables = {
            node.end_lineno
            for body in bodies
            for node in body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            if isinstance(node.value, (ast.Tuple, ast.List, ast.Dict, ast.Set))
        }
        source = (ROOT / name).read_text(encoding="utf-8").splitlines()
        wrong += [f"{name}:{k}" for k, line in enumerate(source, 1) if "fmt: skip" in line and k not in tables]
    assert not wrong, "\n".join(wrong)


def test_every_public_function_has_a_docstring():
    modules = {(name, node.name) for name, tree in trees().items() for node in tree.body if isinstance(node, Function)}
    bare = [f"{name}:{node.lineno} {node.name}" for name, node in public() if not ast.get_docstring(node)]
    assert not [place for place in bare if (place.split(":")[0], place.split()[-1]) in modules]


def test_docstrings_do_not_bury_the_code():
    written = sum(
        (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, *Function.__args__)) and ast.get_docstring(node) is not None
    )
    assert written <= DOCSTRING_SHARE * sum(map(lines, trees()))


def test_the_public_api_is_annotated():
    missing = []
    for name, node in public():
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        bare = [each.arg for each in arguments if each.annotation is None and each.arg not in ("self", "cls")]
        if bare or node.returns is None:
            missing.append(f"{name}:{node.lineno} {node.name} ({', '.join(bare) or 'return'})")
    assert not missing, "\n".join(missing)


def test_nothing_prints_but_the_command_line():
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        if not name.startswith(MAY_PRINT)
    ]
    assert not wrong, wrong


def test_no_error_is_swallowed():
    """No bare except, and no handler that does nothing; a narrow one may go on with the next candidate."""
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        if node.type is None or all(isinstance(line, ast.Pass) or is_text(line) for line in node.body)
    ]
    assert not wrong, wrong


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def names_used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Dotted names with the local alias undone: `np.random.rand` is `numpy.random.rand`."""
    alias: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            alias.update({each.asname or each.name.split(".")[0]: each.name for each in node.names})
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            alias.update({each.asname or each.name: f"{node.module}.{each.name}" for each in node.names})
            yield from ((node.lineno, f"{node.module}.{each.name}") for each in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, *rest = ast.unparse(node).split(".")
            if first in alias:
                yield node.lineno, ".".join((alias[first], *rest))


def banned(tree: ast.Module) -> list[tuple[int, str]]:
    found = {(line, name) for line, name in names_used(tree)}
    return sorted((line, name) for line, name in found if any(name == b or name.startswith(b + ".") for b in BANNED))


def test_results_depend_on_nothing_hidden():
    wrong = [
        f"{name}:{line} {used}"
        for name, tree in trees().items()
        for line, used in banned(tree)
        if name != RESTORES_GENERATORS
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "code",
    [
        "import random",
        "from random import choice",
        "import numpy as np\nnp.random.seed(1)",
        "from numpy import random as r\nr.rand(3)",
        "import time as t\nt.time()",
        "from datetime import datetime\ndatetime.now()",
        "import pickle",
    ],
)
def test_a_hidden_cause_is_caught(code):
    assert banned(ast.parse(code))


@pytest.mark.parametrize("code", ["import numpy as np\nnp.random.default_rng(3)", "import time\ntime.perf_counter()"])
def test_a_seed_and_a_stop_watch_are_let_through(code):
    assert not banned(ast.parse(code))

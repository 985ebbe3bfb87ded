"""The rules of the house that no tool knows: layers, doors, sizes, and that the engine knows no provider."""

import ast
import graphlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = sorted(file for top in ("tests", "benchmarks") for file in (ROOT / top).rglob("*.py"))
CODE = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "gateway").rglob("*.py"))
}
# Each row imports only from rows before it; the wings of a row are siblings and never import one another.
ROWS = """
    values / computation telemetry documents / config model dialects / mapping transport store / engine / events /
    webhooks / examples links / simulator surface / application / cli / __main__
"""
LAYER = {unit: number for number, row in enumerate(ROWS.split("/")) for unit in row.split()}
ENTRIES = 12
ROOMY = {"gateway", "gateway/cli", "tests/cli"}  # the wings themselves, and the commands: one module a verb
DOORS = {
    "aiohttp": r"transport\.client|surface|simulator",
    "yarl": r"transport\.outgoing",
    "limits": r"transport\.quota",
    "yaml": r"documents\.yaml",
    "cerberus": r"documents\.schema_check",
    "re2": r"mapping\.expressions\.patterns",
    "cryptography": r"webhooks|engine\.sessions\.assertions|store\.sessions\.sealing",
    "sqlalchemy": "store",
    **dict.fromkeys(("jmespath", "jinja2"), "mapping"),
    "os": "config",  # its environment; files are opened with pathlib
    **dict.fromkeys(("time", "random"), r"application$"),
    **dict.fromkeys(("secrets", "uuid"), r"application$|surface"),  # the surface draws ids of requests and tokens
}
EVERY = """import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)"""


@cache
def tree(path):
    """Parse a file, once."""
    return ast.parse(path.read_text(encoding="utf-8"))


def entries(room):
    """Give the files and rooms of a room."""
    return [one for one in room.iterdir() if not one.name.startswith("__")]


def mirrors():
    """Give the files of tests that are about one wing."""
    wings = {path.name for path in entries(ROOT / "gateway") if path.is_dir()}
    return [path for path in TESTS if path.name.startswith("test_") and path.relative_to(ROOT).parts[1] in wings]


def imports(module):
    """Give the modules that a module imports, also inside functions and for type checking."""
    for node in ast.walk(tree(CODE[module])):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in CODE else node.module for name in names)


def test_layers_and_doors():
    """A module imports only from layers below its own, and foreign libraries only where they have their door."""
    wrong = []
    for module in CODE.keys() - {"gateway"}:
        unit, asked = module.split(".")[1], set(imports(module))
        others = {name.split(".")[1] for name in asked if name.startswith("gateway.")} - {unit}
        wrong += [f"{module} imports {name}" for name in others if LAYER[name] >= LAYER[unit]]
        guarded = {name.partition(".")[0] for name in asked} & DOORS.keys()
        wrong += [
            f"{module} uses {name}" for name in guarded if not re.match(rf"gateway\.({DOORS[name]})(\.|$)", module)
        ]
    assert [] == wrong


def test_rooms():
    """No room holds more than a dozen files and rooms, also of tests: a reader finds the file from the question."""
    rooms = {path.parent for path in CODE.values()} | {path.parent for path in mirrors()}
    full = {room.relative_to(ROOT).as_posix() for room in rooms if len(entries(room)) > ENTRIES}
    assert [] == sorted(full - ROOMY)


def test_the_rooms_of_tests_mirror_those_of_the_code():
    """Tests of a wing that has rooms stand in the folder of its name, in the room, or that of the file, they are of."""
    code = {path.parent.relative_to(ROOT / "gateway") for path in CODE.values()}
    split = {room.parts[0] for room in code if len(room.parts) > 1}
    rooms = {path.parent.relative_to(ROOT / "tests") for path in mirrors()}
    missing = [room for room in rooms - code if not (ROOT / "gateway" / f"{room}.py").exists()]
    assert [] == sorted(room for room in missing if room.parts[0] in split)


@pytest.mark.timeout(240)
def test_each_module_imports_alone():
    """No module needs another to be imported first: there are no cycles, not even for type checking or in functions."""
    graphlib.TopologicalSorter({module: set(imports(module)) - {module} for module in CODE}).prepare()
    subprocess.run([sys.executable, "-Werror", "-c", EVERY, *CODE], check=True)


def test_one_root():
    """Whoever tests or measures a part of the application has it built where the gateway has, and not by hand."""
    root = next(node for node in tree(CODE["gateway.application"]).body if getattr(node, "name", "") == "Application")
    fields = [ast.unparse(node.annotation) for node in root.body if isinstance(node, ast.AnnAssign)]
    parts = {name.removesuffix(" | None") for name in fields} - {"Settings", "Ambient", "Database"}
    assert len(parts) > 5
    for path in TESTS:
        nodes = list(ast.walk(tree(path)))
        ours = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module.startswith("gateway.")]
        names = parts & {one.name for node in ours for one in node.names}
        called = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
        assert set() == names & called, path.relative_to(ROOT)


def test_what_few_need_is_imported_late():
    """Without a calendar feed, shared limits or PostgreSQL a start does not wait for their libraries."""
    late = ("icalendar", "dateutil", "redis", "asyncpg", "defusedxml")
    code = f"import sys, gateway.cli.serve; print(*sorted(sys.modules.keys() & set({late})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "" == done.stdout.strip()


def test_sizes():
    """A file has at most 350 lines and a function 40, and every test says in a sentence what must hold."""
    wrong = []
    for path in (*CODE.values(), *TESTS):
        at = path.relative_to(ROOT)
        if len(path.read_text(encoding="utf-8").splitlines()) > 350:
            wrong.append(f"{at} is longer than 350 lines")
        functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        wrong += [
            f"{at}: {node.name} is too long"
            for node in functions
            if node.end_lineno - node.lineno >= 40 and path not in TESTS
        ]
        tests = [node for node in functions if node.name.startswith("test_")]
        wrong += [f"{at}: {node.name} does not say what must hold" for node in tests if not ast.get_docstring(node)]
    assert [] == wrong


def test_the_engine_knows_no_provider():
    """Providers are data: the name of none stands in the code, not even in a comment."""
    mappings = [path.read_text(encoding="utf-8") for path in (ROOT / "mappings").glob("*.yaml")]
    names = "|".join(re.findall(r"(?m)^provider: *(\w+)", "".join(mappings)))
    assert names
    assert [] == [module for module, path in CODE.items() if re.search(rf"(?i)\b({names})\b", path.read_text("utf-8"))]


def fields(path):
    """Give the fields of the dataclasses and named tuples of a file, with the names of their classes."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            marks = [ast.unparse(one) for one in (*node.decorator_list, *node.bases)]
            if any(one.startswith(("dataclass", "NamedTuple")) for one in marks):
                yield from (f"{node.name}.{one.target.id}" for one in node.body if isinstance(one, ast.AnnAssign))


def test_no_field_is_dead():
    """Every field of a value is read somewhere: by its name, for a language without types tells no more."""
    nodes = [node for path in (*CODE.values(), *TESTS) for node in ast.walk(tree(path))]
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    read |= {name for node in nodes if isinstance(node, ast.MatchClass) for name in node.kwd_attrs}
    assert [] == [name for path in CODE.values() for name in fields(path) if name.split(".")[1] not in read]

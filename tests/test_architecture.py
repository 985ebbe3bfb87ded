"""The rules of the house that no tool knows: layers, doors, sizes, and that the engine knows no provider."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
CODE = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "gateway").rglob("*.py"))
}
# Each row imports only from rows before it; the units of a row are siblings and never import one another.
ROWS = """
    errors messages findings redaction offload / strictjson / document observe / shape variables / config model /
    mapping / auth transport store windows cache tracing exchanges compensation turns / catalog / scopes /
    run examples / engine / webhooks playback / flows coverage laws / links / surface simulator loss / cli / __main__
"""
LAYER = {unit: number for number, row in enumerate(ROWS.split("/")) for unit in row.split()}
DOORS = {
    "aiohttp": r"transport\.client|surface|simulator",
    "yarl": r"transport\.outgoing",
    "limits": r"transport\.quota",
    "yaml": "document",
    "cerberus": "shape",
    "cryptography": "webhooks",
    "sqlalchemy": "store",
    **dict.fromkeys(("jmespath", "jinja2"), "mapping"),
    "os": "config",  # its environment; files are opened with pathlib
    **dict.fromkeys(("time", "random", "secrets", "uuid"), "webhooks|flows|links|surface|simulator|cli"),
}
EVERY = """import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)"""
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (*CODE.values(), *TESTS)}


def imports(module):
    """Give the modules that a module imports, also inside functions and for type checking."""
    for node in ast.walk(TREES[CODE[module]]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in CODE else node.module for name in names)


@pytest.mark.parametrize("module", [module for module in CODE if module != "gateway"])
def test_layers_and_doors(module):
    """A module imports only from layers below its own, and foreign libraries only where they have their door."""
    unit = module.split(".")[1]
    assert unit in LAYER
    others = {name.split(".")[1] for name in imports(module) if name.startswith("gateway.")} - {unit}
    assert [] == [name for name in others if LAYER[name] >= LAYER[unit]]
    guarded = {name.partition(".")[0] for name in imports(module)} & DOORS.keys()
    assert [] == [name for name in guarded if not re.match(rf"gateway\.({DOORS[name]})(\.|$)", module)]


@pytest.mark.timeout(240)
def test_each_module_imports_alone():
    """No module needs another to be imported first: there are no cycles, not even for type checking or in functions."""
    graphlib.TopologicalSorter({module: set(imports(module)) - {module} for module in CODE}).prepare()
    subprocess.run([sys.executable, "-Werror", "-c", EVERY, *CODE], check=True)


@pytest.mark.parametrize("path", TREES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path):
    """A file has at most 350 lines and a function 65, and every test says in a sentence what must hold."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350
    functions = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [] == [node.name for node in functions if node.end_lineno - node.lineno >= 65]
    assert [] == [node.name for node in functions if node.name.startswith("test_") and not ast.get_docstring(node)]


def test_the_engine_knows_no_provider():
    """Providers are data: the name of none stands in the code, not even in a comment."""
    mappings = [path.read_text(encoding="utf-8") for path in (ROOT / "mappings").glob("*.yaml")]
    names = "|".join(re.findall(r"(?m)^provider: *(\w+)", "".join(mappings)))
    assert names
    assert [] == [module for module, path in CODE.items() if re.search(rf"(?i)\b({names})\b", path.read_text("utf-8"))]

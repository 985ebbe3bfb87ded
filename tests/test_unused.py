"""Nothing is kept for nobody: names of the code that only tests use, and words of the language without an example."""

import ast
import re
from pathlib import Path

import pytest

from gateway.documents.yaml import parse
from gateway.mapping.codecs import CODECS
from gateway.mapping.expressions.functions import FUNCTIONS
from tests.test_architecture import CODE, ROOT, tree

FOUND = {"gateway.cli": {"HELP", "EXAMPLES", "configure", "run"}, "gateway.mapping.codecs": {"KINDS"}}
"""What is found in the files of a room without a list of them (`gateway/mapping/discovery.py`, `gateway/cli`)."""
ALLOWED = {
    "gateway.engine.sessions.agreement.VERIFIER_BYTES": "logins with a code are begun by the surface, which comes next",
    "gateway.engine.sessions.vaults.StoreVault": "the root builds it with the logins",
    "gateway.store.sessions.tokens.forget": "as above",
    "gateway.store.sessions.tokens.begin_login": "as above",
    "gateway.store.sessions.tokens.take_login": "as above",
}
"""What stands there unused, and why."""
COOKBOOK = ROOT / "docs" / "cookbook.md"
BLOCK = re.compile(r"^```yaml mapping\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(module):
    """Give the public names that a module defines, each with the node that does, but for those that are discovered."""
    for node in tree(CODE[module]).body:
        if isinstance(node, _DEFINITIONS):
            if not any(ast.unparse(one).startswith("function(") for one in node.decorator_list):
                yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((one.id, node) for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))


def uses(module):
    """Give what a module uses of the others: their names, with the module that defines them."""
    modules = {}
    for node in ast.walk(tree(CODE[module])):
        if isinstance(node, ast.ImportFrom):
            for one in node.names:
                whole = f"{node.module}.{one.name}"
                modules |= {one.asname or one.name: whole} if whole in CODE else {}
                yield node.module, one.name
    for node in ast.walk(tree(CODE[module])):
        if not isinstance(node, ast.Attribute):
            continue
        if isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr
        elif ast.unparse(node.value).startswith("importlib.import_module("):  # where it is needed, and not before
            yield from ((other, node.attr) for other in CODE)


def loaded(module, name, definition):
    """Tell whether a module reads a name of its own outside of what defines it."""
    span = range(definition.lineno, definition.end_lineno + 1)
    reads = (node for node in ast.walk(tree(CODE[module])) if isinstance(node, ast.Name))
    return any(node.id == name and isinstance(node.ctx, ast.Load) and node.lineno not in span for node in reads)


def test_every_public_name_is_used():
    """What a module offers, another one or it itself uses: what only tests need is the tests' own."""
    used = {use for module in CODE for use in uses(module)}
    unused = [
        f"{module}.{name}"
        for module in CODE
        for name, node in definitions(module)
        if not name.startswith("_") and name not in FOUND.get(module.rpartition(".")[0], ())
        if (module, name) not in used and not loaded(module, name, node)
    ]
    assert [] == sorted(set(unused) - ALLOWED.keys())


def texts(value):
    """Give the texts of a mapping, keys as well; its comments are none."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def codecs(value, *, inside=False):
    """Give the words that stand where a codec is named, or inside of one."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from [key] if inside else []
            yield from codecs(one, inside=inside or key in {"as", "codecs"})
    elif isinstance(value, list):
        for one in value:
            yield from codecs(one, inside=inside)
    elif inside and isinstance(value, str):
        yield value


@pytest.fixture(scope="module")
def shown():
    """Give the mappings that are shipped, and those of the recipes."""
    files = [path.read_text(encoding="utf-8") for path in sorted(Path(ROOT, "mappings").glob("*.yaml"))]
    return [parse(text.encode(), "")[0].data for text in (*files, *BLOCK.findall(COOKBOOK.read_text("utf-8")))]


@pytest.mark.parametrize("name", sorted({word.name for word in FUNCTIONS.values()}))
def test_every_function_is_shown(shown, name):
    """A function of the language is called by a shipped mapping or by a recipe, which the tests run."""
    called = re.compile(rf"(?<![\w.]){name} *\(|\| *{name}\b")
    assert any(called.search(text) for mapping in shown for text in texts(mapping))


@pytest.mark.parametrize("name", sorted(CODECS))
def test_every_codec_is_shown(shown, name):
    """A codec is named by a shipped mapping or by a recipe, which the tests run."""
    assert any(name == word for mapping in shown for word in codecs(mapping))

"""The shipped mappings and their golden examples, each compiled once a test process, when a test first asks for it.

The names of the examples are read without compiling anything, so that parametrizing over them costs little.
"""

from functools import cache
from pathlib import Path

from gateway.documents.yaml import read
from gateway.engine import catalog
from gateway.examples.files import load_examples
from gateway.mapping.compile import compile_provider
from gateway.model.model import load
from gateway.simulator.script import compile_script

ROOT = Path(__file__).parents[1]
FILES = {file.stem: file for file in sorted((ROOT / "mappings").glob("*.yaml"))}
"""The mapping files, by the name of the provider."""


@cache
def compiled(name):
    """Compile a shipped mapping: its plan, which is None where there are errors, and its findings."""
    document, findings = read(FILES[name])
    return (None, findings) if document is None else compile_provider(document, load())


def plan_of(name):
    """Give the plan of a shipped mapping."""
    plan, findings = compiled(name)
    assert plan is not None, [str(one) for one in findings]
    return plan


def joined(settings):
    """Give what a catalog is made of for settings whose mappings are the shipped ones, as `catalog.load` does."""
    assert {file.parent for file in FILES.values()} == {path.resolve() for path in settings.mappings}
    findings = [one for name in FILES for one in compiled(name)[1]]
    return catalog.join({name: plan_of(name) for name in FILES}, findings, settings, load())


@cache
def played(name):
    """Load the golden examples of a shipped mapping, None where there are errors, and their findings."""
    return load_examples(compiled(name)[0])


@cache
def scripted(name):
    """Give the golden examples of a shipped mapping, and what its simulator does."""
    examples, findings = played(name)
    script, wrong = compile_script(examples.document, examples.simulator, plan_of(name), load())
    assert [] == [str(one) for one in (*findings, *wrong) if one.level == "error"]
    return examples, script


def _written():
    """Give every golden example as it is written, by `provider:line name`: of `each:`, one for each of its lines."""
    for provider, file in FILES.items():
        document, _ = read(file.parent / "examples" / file.name)
        for index, node in enumerate(document.data["examples"]):
            for number in range(len(node["each"])) if "each" in node else (None,):
                place = ("examples", index) if number is None else ("examples", index, "each", number)
                name = node["name"] if number is None else f"{node['name']} ({number + 1})"
                yield f"{provider}:{document.place(place, key=True)[0]} {name}", node


_WRITTEN = dict(_written())
EXAMPLES = [key for key, node in _WRITTEN.items() if "hook" not in node]
"""The golden examples of operations, as `provider:line name`."""
HOOKS = [key for key, node in _WRITTEN.items() if "hook" in node]
"""The golden examples of hooks, in the same form."""
CALLS = {
    f"{key.partition(':')[0]} {_WRITTEN[key]['operation']}": key
    for key in reversed(EXAMPLES)
    if _WRITTEN[key]["operation"] != "login" and _WRITTEN[key].get("exchanges")
}
"""The first example of each operation that asks the provider something, by `provider operation`."""


@cache
def examples_of(name):
    """Give the examples of a shipped mapping that are loaded, by `provider:line name`."""
    found, findings = played(name)
    assert found is not None, [str(finding) for finding in findings]
    return {f"{name}:{one.origin.rpartition(':')[2]} {one.name}": one for one in (*found.examples, *found.hooks)}


def example(key):
    """Give an example of `EXAMPLES` or `HOOKS`, after all those of its provider."""
    name = key.partition(":")[0]
    return played(name)[0], examples_of(name)[key]

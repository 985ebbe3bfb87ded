"""Scripts compiled: whatever is wrong is told, all at once, with its place and what was meant."""

import re
from pathlib import Path

import pytest

from gateway.engine.catalog import load_providers
from gateway.examples.files import load_examples
from gateway.model.model import load
from gateway.simulator.script import FORMATS, KINDS, compile_script

DESK = Path(__file__).parent / "desk" / "desk.yaml"

HEAD = """simulator:
  state: {count: 1}
  unauthorised: {status: 401}
  unknown: {status: 404}
  invalid: {status: 422}
  answers:
"""
"""Six lines: the first answer is on the seventh."""


def test_smallest(scripted):
    """A script is a state, three answers to what is wrong, and rules, of which there may be none."""
    script, findings = scripted(HEAD.replace("answers:\n", "answers: []\n"))
    assert [] == findings
    assert {"count": 1} == script.state
    assert (401, 404, 422) == (script.unauthorised.status, script.unknown.status, script.invalid.status)
    assert () == script.rules


def test_rule(scripted):
    """A rule knows its call, what it captures, what it expects, and where it stands."""
    script, findings = scripted(
        HEAD
        + """
    - on: {post: "/a/{id}/b/{other_one}", method: greet}
      when: "{{ match.id == '7' }}"
      expects: {"0": digits?, name: text}
      let: {x: 1, y: "{{ x + 1 }}"}
      refuse: [{when: "{{ y == 3 }}", answer: {status: 409}}]
      change: [{add: count}, {set: "seen.{{ match.id }}", to: null}, {remove: seen, when: "{{ y == 2 }}"}]
      answer: {json: {y: "{{ y }}"}}
"""
    )
    assert [] == findings
    (rule,) = script.rules
    assert ("POST", "greet", ("a", None, "b", None)) == (rule.verb, rule.rpc, rule.path)
    assert ((1, "id"), (3, "other_one")) == rule.captures
    assert {"0": "digits?", "name": "text"} == rule.expects
    assert ["x", "y"] == [name for name, _ in rule.let]
    assert ["add", "set", "remove"] == [change.kind for change in rule.change]
    assert ("script.yaml:8", 200) == (rule.origin, rule.answer.status)


RULES = {
    "no call": ("{on: {}, answer: {}}", ["7:12 call-without-verb"]),
    "two verbs": ("{on: {get: /a, post: /b}, answer: {}}", ["7:12 call-without-verb"]),
    "unknown verb": (
        "{on: {gett: /a}, answer: {}}",
        ["7:13 unknown-key `gett` is not known here; did you mean `get`?"],
    ),
    "no answer": ("{on: {get: /a}}", ["7:7 missing-key `answer` is missing"]),
    "no rule": ("7", ["7:7 wrong-type"]),
    "unknown key": ("{on: {get: /a}, answr: {}, answer: {}}", ["7:23 unknown-key `answr` is not known here; did you"]),
    "two bodies": ("{on: {get: /a}, answer: {json: 1, text: x}}", ["7:41 two-bodies"]),
    "no status": ("{on: {get: /a}, answer: {status: 99}}", ["7:40 wrong-value `status` is too small: at least 200"]),
    "status in words": ("{on: {get: /a}, answer: {status: ok}}", ["7:40 wrong-type `status` is text; a whole number"]),
    "unknown format": (
        "{on: {get: /a}, expects: {day: dat, n: number?, m: 5}, answer: {}}",
        ["7:38 unknown-format `dat` is not a format; did you mean `date`?", "7:58 unknown-format `5` is not a format"],
    ),
    "when is no template": (
        '{on: {get: /a}, when: "true", answer: {}}',
        ["7:29 bad-template a condition is a template"],
    ),
    "refusal without when": ("{on: {get: /a}, refuse: [{answer: {}}], answer: {}}", ["7:32 missing-key `when`"]),
    "refusal's when is none": (
        "{on: {get: /a}, refuse: [{when: no, answer: {}}], answer: {}}",
        ["7:39 bad-template a condition"],
    ),
    "unknown name": (
        '{on: {get: /a}, answer: {json: {x: "{{ sate.count }}"}}}',
        ["7:42 bad-template", "did you mean `state`?"],
    ),
    "later name": (
        '{on: {get: /a}, let: {x: "{{ y }}", y: 1}, answer: {}}',
        ["7:32 bad-template"],
    ),
    "let in when": ('{on: {get: /a}, when: "{{ x }}", let: {x: true}, answer: {}}', ["7:29 bad-template"]),
    "unknown function": (
        '{on: {get: /a}, answer: {json: "{{ lenght(state) }}"}}',
        ["7:38 bad-template", "did you mean `length`?"],
    ),
    "unknown setting": (
        '{on: {get: /a}, answer: {json: "{{ settings.kee }}"}}',
        ["7:38 unknown-setting `settings.kee` is not declared; did you mean `key`?"],
    ),
    "unknown word": (
        '{on: {get: /a}, answer: {json: {$fore: x, $in: "{{ [] }}", $give: 1}}}',
        ["7:39 unknown-word `$fore` is not a word of trees", "did you mean `$for`?"],
    ),
    "no change": ("{on: {get: /a}, change: [{by: 1}], answer: {}}", ["7:32 missing-key a change has"]),
    "two changes": ("{on: {get: /a}, change: [{set: a, to: 1, add: b}], answer: {}}", ["7:48 unknown-key `add`"]),
    "set to nothing": ("{on: {get: /a}, change: [{set: a}], answer: {}}", ["7:32 missing-key `to` is missing"]),
    "remove to something": ("{on: {get: /a}, change: [{remove: a, to: 1}], answer: {}}", ["7:44 unknown-key `to`"]),
    "add of a list": ("{on: {get: /a}, change: [{add: a, by: [1]}], answer: {}}", ["7:45 wrong-type `by` is a list"]),
    "change is no object": ("{on: {get: /a}, change: [count], answer: {}}", ["7:32 missing-key a change has"]),
    "change's when is none": (
        "{on: {get: /a}, change: [{remove: a, when: x}], answer: {}}",
        ["7:50 bad-template a condition"],
    ),
}


@pytest.mark.parametrize(("rule", "told"), RULES.values(), ids=RULES)
def test_wrong_rules(scripted, rule, told):
    """What is wrong with a rule is told at its place, and there is no script then."""
    script, findings = scripted(f"{HEAD}    - {rule}\n")
    assert script is None
    text = "\n".join(findings)
    assert [] == [part for part in told if part not in text], text
    assert len([part for part in told if part[0].isdigit()]) == len(findings), text


@pytest.mark.parametrize("name", ["state", "unauthorised", "unknown", "invalid", "answers"])
def test_what_every_script_has(scripted, name):
    """State, the three answers and the rules cannot be left out."""
    lines = [line for line in HEAD.splitlines() if not line.startswith(f"  {name}")]
    text = "\n".join(lines).replace("answers:", "answers: []")
    script, findings = scripted(text)
    assert script is None
    assert len(findings) == 1
    assert findings[0].startswith(f"1:1 missing-key `{name}` is missing")


def test_everything_at_once(scripted):
    """All findings are given, wherever they stand, in the order of the file."""
    script, findings = scripted(
        """simulator:
  state: {}
  unauthorised: {status: abc}
  unknown: {jsn: 1}
  invalid: {json: "{{ match.field }"}
  answers:
    - on: {get: /a}
      expects: {day: dayte}
      answer: {json: "{{ nosuch }}"}
    - {on: {patch: /b}, change: [{}], answer: {status: 200}}
"""
    )
    assert script is None
    assert [(3, "wrong-type"), (4, "unknown-key"), (5, "bad-template"), (8, "unknown-format")] == [
        (int(one.partition(":")[0]), one.split()[1]) for one in findings
    ][:4]
    assert ["9", "10"] == [one.partition(":")[0] for one in findings[4:]]


def test_formats_are_documented(scripted):
    """The formats that a script can expect are those that the page of the language names."""
    page = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
    told = re.search("expects: .*# (.*); [?] = may be missing", page)[1].split()
    assert sorted([*FORMATS, *KINDS]) == sorted(told)
    expects = ", ".join(f"f{number}: {form}?" for number, form in enumerate(told))
    script, findings = scripted(f"{HEAD}    - {{on: {{get: /a}}, expects: {{{expects}}}, answer: {{}}}}\n")
    assert [] == findings
    assert [f"{form}?" for form in told] == list(script.rules[0].expects.values())


def test_what_no_call_asks():
    """A rule for what no call of the mapping asks is told; one for a call of any of its operations is not."""
    plan = load_providers([DESK], load())[0]["desk"]
    examples, _ = load_examples(plan)
    known = examples.simulator
    asked = ({"get": "/romms"}, {"get": "/rooms/{id}"}, {"post": "/rpc", "method": "gret"})
    rules = [{"on": on, "answer": {}} for on in asked]
    node = {**known, "answers": [*known["answers"], *rules]}
    script, found = compile_script(examples.document, node, plan, load())
    assert len(known["answers"]) + 3 == len(script.rules)
    assert ["`GET /romms`", "`POST /rpc gret`"] == [re.search("`.*`", one.message)[0] for one in found]
    assert {"answers-no-call"} == {one.code for one in found}

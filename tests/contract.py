"""The OpenAPI documents held against the running demo: `make contract`, or `python -m tests.contract --examples 100`.

Schemathesis asks every operation, rightly and wrongly, and compares what comes back with what is documented. The whole
document is proven with each connection, then each connection's own. The same requests are made on every run, but for
the ids and times that the played providers gave before.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import schemathesis
from schemathesis.engine import Status, events, from_schema

from tests.demonstration import KEY, demonstrated

PHASES = ("coverage", "fuzzing")
"""Coverage tries every bound of every schema once; fuzzing draws what it likes, as often as it is told."""
WHOLE = "/openapi.json"
TIMEOUT = "1s"
"""What a call may take: the demo's providers answer at once, and whoever would wait for a rate longer is told so."""
DELIVERIES = "{http: true, schedule: [1h]}"
"""Addresses without TLS may subscribe, for they are of this machine; what cannot be delivered is not tried again."""
ELSEWHERE = {"slots.push": "market", "bookings.delete": "club-c"}
"""Operations that few providers have, and a connection that has them: anywhere else all is answered 501, unread."""
NOBODY = "http://127.0.0.1:9109"
_LONGEST = 8000
"""Bytes of a URL that aiohttp surely reads; beyond 8190 it hangs up by itself, before anything of ours is asked."""


@dataclass
class Outcome:
    """What came of one document. `failures` are told once for each operation and kind, with the first request."""

    document: str
    operations: set = field(default_factory=set)
    cases: int = 0
    statuses: Counter = field(default_factory=Counter)
    failures: dict = field(default_factory=dict)

    def fail(self, operation, kind, text):
        self.failures.setdefault((operation, kind), text)

    def told(self):
        return [f"{operation}: {kind}\n{text}" for (operation, kind), text in self.failures.items()]

    def summary(self):
        statuses = ", ".join(f"{status}: {times}" for status, times in sorted(self.statuses.items()))
        told = f"{self.document}: {len(self.operations)} operations, {self.cases} cases, {len(self.failures)} failures"
        return f"{told} ({statuses})"


def checks(document):
    """Give the checks that are not as Schemathesis has them, with the reason."""
    changed = {
        # These are documented, operation by operation; a defect, 500, is not.
        "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", 501, 502, 503, 504]},
        # No schema says what a provider takes, that `to` follows `from`, or that a cursor is one of ours.
        "positive_data_acceptance": {"enabled": False},
        # More is taken than is documented: a blank from a form is nothing, and an id may be written as a number.
        "negative_data_rejection": {"enabled": False},
    }
    if document != WHOLE:
        # A connection's document has what its provider can do; what only others can is known as well, and answered 501.
        # `Allow` needs no key and tells nothing of a provider: it is that of the contract.
        changed |= {"unsupported_method": {"enabled": False}, "allow_header_conformance": {"enabled": False}}
    return changed


def config(url, document, connection, examples, phases):
    """Give the settings of Schemathesis. The same examples are made each time, so that a run can be repeated."""
    return schemathesis.Config.from_dict(
        {
            "seed": 1,
            "base-url": url,
            "headers": {"Authorization": f"Bearer {KEY}"},
            "parameters": {"path.connection": connection},
            "operations": [
                {"include-operation-id": operation, "parameters": {"path.connection": other}}
                for operation, other in ELSEWHERE.items()
                if document == WHOLE
            ],
            "request-timeout": 10,
            "continue-on-failure": True,
            "generation": {"deterministic": True, "database": "none", "max-examples": examples},
            "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
            "checks": checks(document),
        }
    )


def unlisted(case, response):
    """Say what the operation does not list: a status, which `default` would cover, or the code of a failure."""
    if case.method != case.operation.method:
        return ""
    listed = case.operation.definition.raw["responses"].get(str(response.status_code))
    if listed is None:
        return f"{response.status_code} is not listed"
    body = response.json() if response.content and response.status_code >= 400 else {}
    code = body.get("code") or body.get("error", {}).get("code", "")
    return "" if code in listed["description"] else f"{response.status_code} does not list {code}"


def judge(outcome, event):
    """Note the answers of one scenario and what is wrong with them."""
    recorder = event.recorder
    outcome.operations.add(event.label)
    for key, interaction in recorder.interactions.items():
        outcome.cases += 1
        response = interaction.response
        if response is None:
            outcome.fail(event.label, "no answer", interaction.request.uri)
            continue
        outcome.statuses[response.status_code] += 1
        if len(interaction.request.uri) > _LONGEST:
            continue
        found = unlisted(recorder.cases[key].value, response)
        if found:
            outcome.fail(event.label, found, f"{interaction.request.method} {interaction.request.uri}")
        for check in recorder.checks.get(key, ()):
            if check.status is Status.FAILURE:
                failure = check.failure_info.failure
                told = f"{failure.title}: {failure.message}\n{check.failure_info.code_sample}\n{response.text[:1000]}"
                outcome.fail(event.label, check.name, told)


@schemathesis.hook
def before_call(_context, case, **kwargs):
    """Lead every address that is to be called back to this machine, where nobody listens.

    For each request the client would look for proxies and a `.netrc`, which takes it a seventh of its time.
    """
    if "session" in kwargs:
        kwargs["session"].trust_env = False
    body = case.body
    if isinstance(body, dict) and str(body.get("url", "")).startswith("http"):
        case.body = {**body, "url": f"{NOBODY}/{len(body['url'])}"}


def prove(url, document, connection, examples, phases=PHASES):
    """Ask every operation of a document with so many examples each, and give the Outcome.

    Where a path says `{connection}`, it is this one.
    """
    outcome = Outcome(document)
    made = config(url, document, connection, examples, phases)
    schema = schemathesis.openapi.from_url(url + document, config=made, headers={"Authorization": f"Bearer {KEY}"})
    schema = schema.exclude(operation_id="changes.stream")  # it ends when the client leaves
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            judge(outcome, event)
        elif isinstance(event, events.NonFatalError):
            outcome.fail(event.label, "error", str(event.value))
        elif isinstance(event, events.FatalError):
            raise event.exception
    return outcome


def documents(connections):
    """Give the path of each document and the connection to prove it with."""
    return [*((WHOLE, name) for name in connections), *((f"/v1/{name}/openapi.json", name) for name in connections)]


async def run(examples):
    """Prove all documents and print what came of it; gives the Outcomes."""
    logging.getLogger().addHandler(logging.NullHandler())
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        async with demonstrated(Path(folder), timeout=TIMEOUT, deliveries=DELIVERIES) as (url, connections):
            for document, connection in documents(connections):
                begun = time.monotonic()
                outcome = await asyncio.to_thread(prove, url, document, connection, examples)
                outcomes.append(outcome)
                sys.stdout.write(f"{outcome.summary()}, with {connection} in {time.monotonic() - begun:.0f} s\n")
                sys.stdout.writelines(f"\n{failure}\n\n" for failure in outcome.told())
                sys.stdout.flush()
    return outcomes


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.contract", description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100, metavar="N", help="drawn for each operation")
    outcomes = asyncio.run(run(parser.parse_args().examples))
    failures = sum(len(one.failures) for one in outcomes)
    operations = sum(len(one.operations) for one in outcomes)
    sys.stdout.write(f"{operations} operations, {sum(one.cases for one in outcomes)} cases, {failures} failures\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

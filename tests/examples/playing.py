"""The examples of a mapping that is made up in a test, played as `gateway check` plays them."""

from gateway.examples.coverage import play
from gateway.examples.files import load_examples
from gateway.mapping.compile import compile_provider
from gateway.model.model import load


async def play_examples(document):
    """Play all examples of a mapping; None where it or its examples have errors, or there are none."""
    plan, _ = compile_provider(document, load())
    examples = load_examples(plan)[0] if plan is not None else None
    return None if examples is None else await play(document, plan, examples, load())

"""How the sender of a message is known, compiled: the words of `verify:` that look at the message, beside the others.

What a block asks for besides `equals` and `fetch` is compiled where verification is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.documents.yaml import Place
from gateway.mapping.compiler.context import BASE, Context
from gateway.mapping.compiler.hooks.verification import VerifyPlan, compile_block, compile_verify
from gateway.mapping.language.hooks import AnyHook, EventHook
from gateway.mapping.language.verification import LOOKING, Proof
from gateway.mapping.nodes.hooks import EqualPlan
from gateway.values.messages import Json


@dataclass(frozen=True, slots=True)
class CompiledVerification:
    """What `verify:` of a hook asks for: signatures, comparisons, errors of a fetch that mean a forgery."""

    plans: tuple[VerifyPlan, ...] = ()
    equals: tuple[EqualPlan, ...] = ()
    forged: frozenset[tuple[str, str]] | None = None


def compile_verified(context: Context, hook: AnyHook) -> CompiledVerification:
    """Compile `verify` of a hook: the words that look at the message here, the others where signatures are known."""
    node, where = hook.verify, (*hook.place, "verify")
    if node is None:
        message = "`verify` is missing (how the sender is known): write verify: none if anybody may send"
        context.report(where, "unverified-hook", message, key=True)
        return CompiledVerification()
    read = [] if isinstance(node, str) else node if isinstance(node, list) else [node]
    if not any(block.given & LOOKING for block in read):
        return CompiledVerification(_interpret(context, hook, compile_verify(context, node, where) or (), where))
    plans: list[VerifyPlan] = []
    equals: list[EqualPlan] = []
    forged = set[tuple[str, str]]()
    for block in read:
        if block.equals is not None:
            equals += _compile_equals(context, block.equals, (*block.place, "equals"))
        if block.fetch is not None:
            forged.update(_compile_proof(context, block.fetch))
        plan = compile_block(context, block) if not block.given or block.given - LOOKING else None
        if plan is not None:
            plans.append(plan)
    proved = any("fetch" in block for block in read)
    if proved and not (isinstance(hook, EventHook) and hook.fetch is not None):
        context.report(where, "proof-without-fetch", "the fetch is to prove the message, and there is no `fetch:`")
    if not proved and all(block.sound for block in read) and not any(plan.always for plan in plans):
        message = "what `equals` compares anybody can write: a block beside it must prove who sent it, and need nothing"
        context.report(where, "equals-alone", message)
    held = _interpret(context, hook, tuple(plans), where)
    return CompiledVerification(held, tuple(equals), frozenset(forged) if proved else None)


def _interpret(context: Context, hook: AnyHook, plans: tuple[VerifyPlan, ...], place: Place) -> tuple[VerifyPlan, ...]:
    """Give the plans; one that is for a method of which the hook takes no message is a finding."""
    for name in sorted(frozenset[str]().union(*(plan.methods for plan in plans)) - hook.methods):
        context.report(place, "not-allowed", f"the hook takes no messages by {name}")
    return plans


def _compile_equals(context: Context, node: Mapping[str, Json], place: Place) -> Iterator[EqualPlan]:
    if not node:
        context.report(place, "wrong-type", "`equals` is an object: a path on the body, and what must stand there")
        return
    for text, value in node.items():
        where = (*place, text)
        path, template = context.path(text, where), context.template(value, where, BASE)
        if path is not None and template is not None:
            yield EqualPlan(path, template, context.origin(where))


def _compile_proof(context: Context, node: Proof) -> Iterator[tuple[str, str]]:
    """Give each error that means a forged message: its code, and the provider's own where only that one does."""
    for told in node.forged or ():
        if told.sound:
            context.error_code(told.is_, told.place)
            yield told.is_, told.code or ""

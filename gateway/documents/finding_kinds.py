"""Every kind of finding: its level, what it means and what to do about it. Knows no file and finds nothing itself.

A code that is not in this table cannot be reported; `docs/findings.md` is made from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

ERROR: Final = "error"
"""The level of findings for which a file is not taken. The other one is a warning, which `--strict` refuses."""

# Under each heading a line of a table: level, code, what was found, what to do about it.
_TABLE: Final = """
# Reading a file

error unreadable: The file cannot be opened. Correct its name, or let the gateway read it.
error no-such-file: There is no such file or folder. Correct the path.
error too-large: The file is larger than 1 MiB. Split it, or take out what does not belong there.
error byte-order-mark: The file begins with a byte order mark. Save it as UTF-8 without one.
error not-utf-8: The file is not UTF-8. Save it as UTF-8.
error control-character: The file holds a character that no editor shows. Remove it, or write it as an escape.
error empty: There is nothing in the file. Write something, or remove the file.
error syntax: This is not YAML. Indent, quote or close what the message names.
error several-documents: The file holds more than one YAML document. Remove the second `---`.
error directive: The file has a `%YAML` or `%TAG` line. Remove the line.
error too-deep: Values are nested deeper than 64 levels. Flatten them.
error duplicate-key: A key stands twice in one object. Keep one of them.
error key-not-text: A key is no text. Quote it.
error merge-key: A merge key (`<<`) copies another object. Write the keys out.
error anchor: A value has an anchor (`&name`). Remove it, and write the value out where it is needed.
error alias: A value is an alias (`*name`). Write the value out.
error tag: A value has a tag (`!name`). Quote a text, and write a number plainly.
error number: A number that JSON cannot hold. Quote it if it is text; else write a smaller one.

# The shape of a part

error unknown-key: A key that this part does not have. Correct its spelling, or remove it.
error missing-key: A key that this part needs. Add it.
error wrong-type: A value of another type than the key takes. Write the type that the message names.
error wrong-value: A value that does not fit its key or the contract. Write one as the message says.
error not-allowed: A value that is not among the few the key takes. Take one of those.
error bad-name: A name that cannot be used here. Choose one as the message says.

# The gateway's configuration

error bad-variable: A `${NAME}` that gives no value. Set the variable, or its NAME_FILE, as the message says.
error shared-key: A key of the gateway stands in two places: two callers, a provider or consumer. Give each its own.
error unknown-connection: A caller, webhook or link names a connection that there is not. Correct the name, or add it.
error duplicate-webhook: Two webhooks have the same address. Put the events of one consumer together.
error public-url-missing: A provider signs our address, or sends a person's browser to it. Say `public_url`.
warning tokens-not-kept: What renews a session is lost with the gateway. Say `state_key`, and a store that lasts.
error unknown-provider: A connection names a provider that no mapping describes. Correct the name, or add the mapping.
error missing-setting: A connection lacks a setting that its provider needs. Add it.
error unknown-setting: A setting that the mapping does not declare. Correct its spelling, or declare it.
warning renamed-key: A key that has another name now, and is still read. Write the name that the message gives.
warning interval-not-kept: A mapping asks for longer between polls than the configuration. Write the longer interval.
error wrong-setting: A setting's value does not fit its type. Write one as the message says.
error duplicate-provider: Two mapping files describe the same provider. Remove or rename one.

# Links

error duplicate-link: Two links have the same name, or the same center of one peer. Rename one, or join them.
error link-to-itself: Both ends of a link are the same connection. Name the marketplace and the club.
error duplicate-facility: A facility stands twice at one peer. Give each court an id of its own.
error wrong-grid: Slots do not fill a grid, or their length is not said. Correct it as the message says.
error not-a-marketplace: The peer of a link is no marketplace. Name a connection whose mapping is `kind: marketplace`.
error link-impossible: An end of a link cannot do what links need. Give it the setting that it lacks, or name another.
error facility-refused: The club or the peer does not take a facility as it is written. Correct it as told.
error customer-refused: The club does not take a customer as it is written. Correct it as the message says.
error not-at-club: The club has no such resource or service, or not together. Take an id that the message names.
error club-not-asked: The club could not be asked what it has. Do what the message says, and check again.
warning link-limited: The club cannot do what a link is safer with. Know what is lost, as the message says.
warning price-untold: A price in another currency than the marketplace has. Write it in the currency of the peer.

# The head of a mapping

error language-version: The file is written in another version of the language. Use an engine that speaks it.
error standard-setting: `time_zone` or `currency` is not declared as every provider's must be. Declare it as shown.
error required-with-default: A setting is required and has a default. Keep one of the two.
warning unmasked-secret: A setting is named like a secret and is plain text. Give it the type secret, or another name.
error two-schemes: A scheme sends one thing in two ways. Keep one of them.
error credential-not-sent: What proves who we are is declared where nothing sends it. Move it as the message says.
warning credential-left-out: Some calls with this scheme cannot carry it. Give them another, or move what it sends.
error unknown-rate-class: A call names a rate class that `http.rates` does not have. Correct the name, or add the class.
error unknown-scheme: A call names a scheme that is not under `auth_schemes:`. Correct the name, or add the scheme.
warning unused-setting: A setting that nothing uses. Use it, or remove it.
warning unused-rate-class: A rate class that no call names. Use it, or remove it.
warning unused-scheme: A scheme that no call names. Use it, or remove it.

# Paths, templates and trees

error bad-path: A text that is no JMESPath, or asks a function for what it cannot do. Correct it as the message says.
error bad-template: A template that cannot be read, or that uses a name or word there is not. Correct it as told.
error bad-expression: A text that is no regular expression. Correct it.
error slow-expression: A regular expression that takes more than linear time. Leave out look-around, back references.
error not-a-template: A list, a variable, or a condition on no data, is plain text. Write it in `{{ … }}`.
error not-boolean: A condition that can be seen to give neither true nor false. Compare what it gives.
error unknown-word: A `$` key that is no word of trees, or does not stand first. Correct it, or put it first.
error wrong-form: A part is not written in its form. Write it as the message says.
error unknown-name: A name that is not known at this place. Use a step, level or variable that stands before it.
error optional-argument: A template needs what a caller may leave out. Ask for it, or say what stands for it.
error wrong-kind: A value of a kind that its use does not take, whatever it is. Convert it as the message says.
error reserved-name: A name that is already taken here. Choose another.
error secret-misplaced: A secret stands where it could be seen. Use it under `auth:` or in a word that signs.

# Calls and error rules

error call-without-verb: A call has no HTTP method and no JSON-RPC method, or several. Write exactly one.
error wrong-pages: The pages of a list cannot be followed in this way. Correct it as the message says.
error unknown-prefix: A prefix of XML has no namespace, or a name is none. Correct or declare it as the message says.
error two-bodies: There are two of what can only be once. Keep one.
error host-not-url: The host is neither written out nor a setting of type url. Make it one of the two.
error query-in-url: Query parameters stand in the URL, unencoded. Move them under `query:`.
error reserved-header: The gateway writes this header itself. Leave it out.
error bad-header: The name of a header is none, or a template. Write it out as the message says.
error rule-without-condition: An error rule or condition asks for nothing. Give it `status`, `header` or `when`.
error bad-status: No HTTP answer has this status. Write one from 100 to 599.
error callers-code: An error code speaks of the caller's own key. Use PROVIDER_AUTH_FAILED where ours is refused.
error unknown-error-code: The contract has no such error code. Use one of docs/errors.md.
warning unreachable-rule: An earlier rule catches all that this one could. Move it up, narrow the other, or remove it.
warning any-answer-succeeds: A call that writes takes any text for done. Say in `success:` what a success looks like.
warning unreachable-refusal: An earlier guard has the same condition. Remove one of them.
warning never-ignored: A step ignores an error that it can never end with. Name the code that the message names.

# Codecs and records

error bad-codec: A codec is not written as it must be. Correct it as the message says.
error not-invertible: A codec or path that only reads is to write. Take one that writes, or say `mode: read`.
error codec-type: A codec and the canonical value on its other side have different types. Take a codec that fits.
warning enum-not-total: A canonical value that a written enum has no word for. Add it, or say why under `unsupported:`.
error wrong-parts: What is joined does not match the parts of the codec. Name as many fields as there are parts.
error needs-codec: A field's canonical type cannot be read as it is. Say with `as:` how the provider writes it.
error unknown-resource: The contract has no such resource. Use a name of the contract.
error unknown-field: The resource has no such field. Use a name of the contract.
error field-twice: A field is given as a whole and in parts. Keep one of the two.
error field-without-source: A field has no source or several. Give it one of `at`, `value`, `compute`, `from`, `record`.
error required-field-missing: A field that the contract requires has no source. Give it one.
error unknown-record: There is no record of this name. Correct the name, or write the record.
error wrong-record: A record reads another resource than is given here. Take one that is `of:` the right resource.
error record-cycle: Records refer to each other in a circle. Break it.
error unknown-fragment: There is no fragment of this name. Correct the name, or write it under `fragments:`.
error tree-cycle: A tree holds itself. Break the circle.
warning unused-codec: A codec that nothing uses. Use it, or remove it.
warning unused-record: A record that nothing uses. Use it, or remove it.
warning unused-fragment: A fragment that nothing uses. Use it, or remove it.

# Operations

warning operation-missing: An operation of the contract is neither mapped nor refused. Map it, or say why it is not.
warning operations-left: `unsupported:` refuses all operations that are left. Map them, or refuse each by name.
error unknown-operation: There is no such operation. Use a name of the contract that is mapped here.
error both-ways: An operation is mapped and declared unsupported. Keep one of the two.
error nothing-to-do: An operation or variant neither does nor gives anything. Give it a call, steps or a result.
error level-without-list: A level has no list, or two. Give it exactly one of `at` and `in`.
error step-without-kind: A step does nothing, or several things. Give it exactly one of the keys the message names.
error beside-choose: A key stands beside `choose:` that belongs into its variants. Move it there.
error unreachable-variant: A variant that always holds hides those after it. Give it a `when:`, or put it last.
error always-given: A setting is needed that no connection lacks. Remove the need, or its `required` or `default`.
error unreachable-way: A way that needs nothing hides those after it. Give it `needs:`, or put it last.
error run-not-given: An operation runs another that not every connection has. Give both the same `needs:`.
error operation-cycle: An operation runs itself. Break the circle.
error result-missing: An operation gives nothing where the contract promises something. Say where the result is.
error wrong-result: A result is of another kind than the contract promises. Write the key that the message names.
error unknown-argument: The operation has no such argument. Use a name of the contract, or declare it.
error unused-argument: A required or a declared argument is ignored. Use it, or give the reason under `unsupported:`.
warning star-of-nothing: A `customer.*` stands for no member. Remove it, or what makes it idle.
warning argument-not-mapped: Nothing reads a promised argument. Use it, or give the reason under `unsupported:`.
error unsatisfiable: Every call of the operation would be refused. Honour one of what the message names.
error refusal-after-write: A no comes after a write, and what becomes of the write is not said. Say `takes_back:`.
error nothing-to-take-back: Nothing, or not all, of what was written can be taken back. Give each write an `undo`.
error exclusive-reading: An operation that changes nothing is to be alone. Remove the step.
error cache-of-a-write: An operation that changes something is to be cached. Remove its `cache:`.
error undo-of-others: An undo names what another call may have made. Name the step's answer, or a `uuid()`.
error look-that-writes: What looks whether a step was done changes something itself. Look with an operation that reads.
error no-window: An operation without `from` and `to` has a window. Remove the window.
error window-without-default: `from` and `to` may be left out, and no default says what then. Add `default_days`.
warning unused-name: A variable or a declared name that nothing reads. Use it, or remove it.
warning unused-step: A step that changes nothing and whose value nothing reads. Read it, or remove the step.

# Hooks

error unverified-hook: A hook does not say how its sender is known. Say it under `verify:`, or write `verify: none`.
error unknown-event-type: The contract has no such event. Take one of its events, `changed`, or `ignore` in an enum.
error event-words-open: A hook does not say what another word for an event means. Add `else: ignore` or `else: changed`.
error message-without-source: A message has no source or two. Give the hook either a `record:` or a `fetch:`.
error equals-alone: A hook compares what anybody can write, and proves nothing. Say besides how its sender is known.
error proof-without-fetch: A hook is verified by a fetch that it does not make. Add `fetch:`, or verify it otherwise.
error fetch-changes: A message is fetched by an operation that changes something. Fetch with one that only reads.
error unknown-request: The contract has no such request. Take one of those that it has.
error unreachable-request: A request that fits whenever a later one does hides it. Give it a `when:`, or put it last.
error beside-requests: A hook that asks also tells of events. Take out what is of events, or make it another hook.
warning dedupe-by-content: A change that happens again has the name of before. Name deliveries as the message says.
warning misspelled-header: A header's name is one letter away from a common one. Correct it, as the message says.
warning open-hook: Messages of a hook are taken from anyone. Verify them, if the provider has any way to.
error not-one-scheme: A `verify:` block proves nothing, or in several ways. Give it one of the keys the message names.
error verify-optional: Some messages or connections are held to nothing. Give one block no `needs:` and no `method:`.
error key-not-secret: A key is written out, or its setting is no secret. Declare a setting of type `secret` for it.
error timestamp-unsigned: A timestamp is checked that is not signed, which proves nothing. Sign it, or leave it out.
error digest-unsigned: A digest of the body is checked that is not signed. Sign it, or sign the body.
error secret-unsigned: A plain hash is taken of bytes without the secret. Put `secret` among them, or take an HMAC.
error signs-itself: A signature stands inside the bytes that it signs. Take it from elsewhere, or sign only fields.
error algorithms-mixed: A JWT may be signed with a secret or a public key. Allow one kind of algorithms.
error weak-secret: A key is not given, cannot be read, or is too short. Give one as the message says.

# Polling

error polling-cached: A poll lists with an operation whose answers are kept. Remove the `cache:` of the operation.
warning polling-pages: A polled list comes in pages, and its rest would count as cancelled. Say `pages:` or `complete:`.
error tracked-not-read: Changes are to be told of a field that the list does not tell. Read it there, or remove it.
error remember-misplaced: What stands here cannot be remembered, or only in part. Correct it as the message says.

# Examples

warning no-examples: A provider has no examples at all. Write the file that the message names.
warning no-example: An operation has no golden example. Write one.
error example-differs: An example does not give what it says. Run `gateway test`, and correct the one or the other.
warning path-not-seen: No recorded answer has what a path reads. Add an example that has it, or correct the path.
warning rule-not-seen: No recorded answer is caught by an error rule. Add an example of that refusal.
warning word-not-seen: No example of a hook has a word for an event. Add an example of it, or remove the word.
warning request-not-seen: No example of a hook asks for what it could. Add an example of it, or remove the request.
warning reply-not-seen: No example of a hook is answered by one of its `replies`. Add an example, or remove the answer.
error unknown-hook: An example is of a hook that the mapping does not have. Correct the name, or write the hook.
error wrong-provider: The examples belong to another provider. Correct `provider:`.

# The simulator

warning answers-no-call: A rule answers what no call of the mapping asks. Correct its `on:`, or remove it.
error unknown-format: `expects:` names a format there is not. Use one of those the message names.

# The contract itself

error wrong-contract: The contract's own file is wrong, which only a release can be. Report it.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding. `group` is the heading it stands under; `level` is `error` or `warning`."""

    code: str
    level: str
    group: str
    meaning: str
    fix: str


def _kinds(table: str) -> Iterator[Kind]:
    group = ""
    for line in filter(None, table.splitlines()):
        if line.startswith("# "):
            group = line.removeprefix("# ")
            continue
        head, _, text = line.partition(": ")
        level, code = head.split(" ")
        meaning, _, fix = text.partition(". ")
        yield Kind(code, level, group, f"{meaning}.", fix)


KINDS: Final[Mapping[str, Kind]] = {kind.code: kind for kind in _kinds(_TABLE)}
"""Code → what it means."""

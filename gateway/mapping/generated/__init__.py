"""What a mapping means, as Python that is made once: the usual cases of `runtime/`, which stays the meaning.

Generated code knows success. Whatever else turns up makes it stop, and the evaluator takes the same input: so every
message, place and order of errors is the evaluator's. Nothing here sends, waits or remembers a value of a call.
"""

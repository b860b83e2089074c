"""The process that quantizes: it calls llama.cpp and tells how far it is. See child.py."""

import ctypes
import importlib
import os
import re
from typing import Any

import msgspec

from builder.child import Message, read_job, tell
from builder.native.llamacpp import expose_binding
from builder.quantize.imatrix import IMatrix, read_imatrix
from builder.quantize.options import QuantizeOptions
from runtime.deferred_module import defer

# Values of llama_model_kv_override_type.
_NUMBER, _TEXT = 0, 3
_MAX_TEXT_BYTES = 127
_ERROR = 4

# A tensor's line: its number, name and shape, its type, then what becomes of it.
_TENSOR = re.compile(r"\[ *\d+/ *\d+\] +(\S+) +- \[.*?\], type = +(\w+), (.*)")
_NEW_TYPE = re.compile(r"converting to (\w+)|MiB \((\w+)\)")
_FAILED = re.compile(r"llama_model_quantize: failed to quantize: (.*)")


class Step(msgspec.Struct, frozen=True):
    """One quantization: the file to write, or empty to only tell of every tensor; and how."""

    output: str
    options: QuantizeOptions


class QuantizeJob(msgspec.Struct, frozen=True):
    """What the process is to do: its source is a GGUF, or the first part of a split one."""

    source: str
    steps: list[Step]


class _Log:
    """Reads llama.cpp's log, which comes in pieces of lines, and passes on what it tells."""

    def __init__(self) -> None:
        self.failure = ""
        self._line = ""
        self._errors: list[str] = []

    def take(self, level: int, text: bytes, _user_data: object) -> None:
        self._line += text.decode(errors="replace")
        while "\n" in self._line:
            line, _, self._line = self._line.partition("\n")
            self._read(line, level)

    def _read(self, line: str, level: int) -> None:
        if found := _TENSOR.search(line):
            new = _NEW_TYPE.search(found[3])
            kind = (new[1] or new[2]) if new else found[2]
            tell(Message(tensor=found[1], kind=kind))
        elif "WARNING" in line and "will require an imatrix" in line:
            tell(Message(needs_imatrix=True))
        elif failed := _FAILED.search(line):
            self.failure = failed[1].strip().rstrip(".")
        elif level == _ERROR and line.strip(" ="):
            self._errors.append(line)

    def why(self) -> str:
        return self.failure or (self._errors or ["it said nothing"])[-1].strip().rstrip(".")


def main() -> None:
    """Do the job that stands on stdin."""
    job = read_job(QuantizeJob)
    expose_binding()
    # Quantizing takes libllama alone; loading what computes would take most of the time.
    defer("llama_cpp")
    api: Any = importlib.import_module("llama_cpp.llama_cpp")
    api.llama_backend_init()
    log = _Log()
    callback = api.llama_log_callback(log.take)
    api.llama_log_set(callback, None)
    for step in job.steps:
        params, _kept = _params(api, step.options)
        params.dry_run = not step.output
        files = os.fsencode(job.source), os.fsencode(step.output)
        if api.llama_model_quantize(*files, params):
            tell(Message(failure=log.why()))
            return
        tell(Message(is_next=True))
    tell(Message(is_done=True))


def _params(api: Any, options: QuantizeOptions) -> tuple[Any, list[object]]:
    """Return llama.cpp's parameters, and what must live as long as they do."""
    params = api.llama_model_quantize_default_params()
    params.ftype = options.quantization.file_type
    params.nthread = options.n_threads
    params.pure = options.is_pure
    params.quantize_output_tensor = not options.leaves_output
    params.allow_requantize = options.allows_requantize
    if options.output_tensor_type is not None:
        params.output_tensor_type = options.output_tensor_type
    if options.token_embedding_type is not None:
        params.token_embedding_type = options.token_embedding_type
    kept: list[object] = []
    if options.tensor_types:
        overrides = (api.llama_model_tensor_override * (len(options.tensor_types) + 1))()
        for place, wanted in zip(overrides, options.tensor_types, strict=False):
            place.pattern, place.type = wanted.pattern.encode(), wanted.type_id
        params.tt_overrides = overrides
        kept.append(overrides)
    if options.imatrix:
        _add_imatrix(api, params, options, kept)
    return params, kept


def _add_imatrix(api: Any, params: Any, options: QuantizeOptions, kept: list[object]) -> None:
    assert options.imatrix, "only called with one"
    imatrix = read_imatrix(options.imatrix)
    entries = (api.llama_model_imatrix_data * (len(imatrix.means) + 1))()
    for place, (name, means) in zip(entries, imatrix.means.items(), strict=False):
        values = (ctypes.c_float * len(means)).from_buffer(means)
        kept.append(values)
        place.name, place.size = name.encode(), len(means)
        place.data = ctypes.cast(values, ctypes.POINTER(ctypes.c_float))
    overrides = _notes(api, imatrix, options)
    params.imatrix, params.kv_overrides = entries, overrides
    kept += [entries, overrides]


def _notes(api: Any, imatrix: IMatrix, options: QuantizeOptions) -> Any:
    """Return what the file will say of its importance matrix, with llama-quantize's keys."""
    notes: dict[str, str | int] = {}
    if options.calibrate:
        notes["quantize.imatrix.dataset"] = options.calibrate.name
    elif options.imatrix:
        notes["quantize.imatrix.file"] = options.imatrix.name
    notes["quantize.imatrix.entries_count"] = len(imatrix.means)
    if imatrix.num_chunks:
        notes["quantize.imatrix.chunks_count"] = imatrix.num_chunks
    overrides = (api.llama_model_kv_override * (len(notes) + 1))()
    for place, (key, value) in zip(overrides, notes.items(), strict=False):
        place.key = key.encode()
        if isinstance(value, str):
            place.tag, place.value.val_str = _TEXT, value.encode()[:_MAX_TEXT_BYTES]
        else:
            place.tag, place.value.val_i64 = _NUMBER, value
    return overrides


if __name__ == "__main__":
    main()

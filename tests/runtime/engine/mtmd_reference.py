"""What llama.cpp's own helper makes of a prompt with images, to compare ours with."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from runtime.engine.llama import Llama
from runtime.engine.loading import EngineOptions, load_model
from runtime.engine.types import BatchSlice


def logprobs_by_helper(
    options: EngineOptions, parts: Sequence[str | bytes], answer: Sequence[int]
) -> list[float]:
    """Return the logarithm of each token's likelihood in an answer to texts and images."""
    llama = Llama.load()
    api = llama.vision_api()
    model, runner = load_model(replace(options, projector=None))
    assert options.projector, "the model sees"
    params = api.mtmd_context_params_default()
    params.use_gpu = False
    params.n_threads = 1
    path = str(options.projector.path).encode()
    projector = api.mtmd_init_from_file(path, model.handle, params)
    position = ctypes.c_int32()
    api.mtmd_helper_eval_chunks(
        projector,
        runner._context,
        _chunks(api, projector, parts),
        0,
        0,
        512,
        True,
        ctypes.byref(position),
    )
    logprobs = []
    for place, token in enumerate(answer, position.value):
        logits = llama.api.llama_get_logits_ith(runner._context, -1)
        values = np.ctypeslib.as_array(logits, (model.n_vocab,)).astype(np.float64)
        logprobs.append(float(values[token] - np.logaddexp.reduce(values)))
        runner.decode([BatchSlice(0, place, [token], True)])
    api.mtmd_free(projector)
    runner.close()
    model.close()
    return logprobs


def _chunks(api: Any, projector: Any, parts: Sequence[str | bytes]) -> Any:
    marker = api.mtmd_default_marker()
    data = b"".join(part.encode() if isinstance(part, str) else marker for part in parts)
    images = [part for part in parts if isinstance(part, bytes)]
    bitmaps = [
        api.mtmd_helper_bitmap_init_from_buf_wrapper(
            projector,
            (ctypes.c_uint8 * len(image)).from_buffer_copy(image),
            len(image),
            False,
            api.mtmd_helper_init_opt_default(),
        ).bitmap
        for image in images
    ]
    chunks = api.mtmd_input_chunks_init()
    text = api.mtmd_input_text(data, len(data), True, True)
    array = (ctypes.c_void_p * len(bitmaps))(*bitmaps)
    status = api.mtmd_tokenize(projector, chunks, ctypes.byref(text), array, len(bitmaps))
    assert status == 0, "tokenized"
    return chunks

"""Whether a draft model's tokens are the target's: by the rules of llama.cpp's own drafting."""

from typing import Any

from runtime.engine.llama import Llama
from runtime.engine.model import Model

# Sizes differ where one model's is padded. The first tokens are control tokens, which converters
# name differently.
MAX_SIZE_DIFFERENCE = 128
FIRST_COMPARED_TOKEN = 5
_NO_VOCABULARY = 0


def vocabulary_difference(llama: Llama, target: Model, draft: Model) -> str | None:
    """Return how a draft model's vocabulary differs, as a clause; None where it does not."""
    api = llama.api
    type_id = api.llama_vocab_type(target.vocab)
    if api.llama_vocab_type(draft.vocab) != type_id:
        return "its tokenizer is of another kind"
    if _added(api, target.vocab) != _added(api, draft.vocab):
        return "it begins or ends a text with other tokens"
    if abs(target.n_vocab - draft.n_vocab) > MAX_SIZE_DIFFERENCE:
        return f"it knows {draft.n_vocab} tokens, and the model {target.n_vocab}"
    if type_id == _NO_VOCABULARY:
        return None
    for token in range(FIRST_COMPARED_TOKEN, min(target.n_vocab, draft.n_vocab)):
        texts = [api.llama_vocab_get_text(vocab, token) for vocab in (draft.vocab, target.vocab)]
        if texts[0] != texts[1]:
            ours, theirs = (text.decode(errors="replace") for text in texts)
            return f"token {token} is {ours!r} there, and {theirs!r} in the model"
    return None


def _added(api: Any, vocab: Any) -> tuple[int | None, int | None]:
    """Return the tokens that begin and end a text of themselves."""
    begin = api.llama_vocab_bos(vocab) if api.llama_vocab_get_add_bos(vocab) else None
    end = api.llama_vocab_eos(vocab) if api.llama_vocab_get_add_eos(vocab) else None
    return begin, end

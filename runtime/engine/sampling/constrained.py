"""A sampler chain that chooses only what a grammar allows."""

from typing import Any

from runtime.engine.model import Model
from runtime.engine.sampling.candidates import Candidates
from runtime.engine.sampling.chain import SamplerChain
from runtime.engine.sampling.grammar import Grammar
from runtime.engine.sampling.lazy_grammar import LazyGrammar
from runtime.engine.sampling.logprobs import Choice
from runtime.errors import RequestError


class ConstrainedChain:
    """Chooses as its chain does, and again among what is allowed where that was forbidden.

    Asking the grammar about one token is a thousand times cheaper than about all of them, and a
    model that knows what is wanted seldom errs.
    """

    def __init__(
        self,
        api: Any,
        model: Model,
        chain: SamplerChain,
        grammar: Grammar | LazyGrammar,
        candidates: Candidates,
    ) -> None:
        self._api = api
        self._model = model
        self._chain = chain
        self._grammar = grammar
        self._candidates = candidates

    def sample(self, context: Any, position: int) -> int:
        """Choose a token from the logits at a position of the batch.

        Raises:
            RequestError: The grammar allows none.
        """
        logits = self._api.llama_get_logits_ith(context, position)
        token = self._chain.choose(self._candidates.fill(logits))
        if not self._grammar.allows(token):
            allowed = self._candidates.fill(logits)
            self._grammar.apply(allowed)
            token = self._chain.choose(allowed)
        if not self._grammar.allows(token):
            token = self._end()
        self._grammar.accept(token)
        self._chain.accept(token)
        return token

    def last_choice(self, token: int, num_top: int) -> Choice:
        """Return how likely the token chosen last was; see `SamplerChain`."""
        return self._chain.last_choice(token, num_top)

    def close(self) -> None:
        """Free the chain and the grammar."""
        self._chain.close()
        self._grammar.close()

    def _end(self) -> int:
        """Return the token that ends a text to which the grammar lets nothing be added."""
        for token in self._model.end_tokens:
            if self._grammar.allows(token):
                return token
        raise RequestError("The grammar allows none of the model's tokens here.")

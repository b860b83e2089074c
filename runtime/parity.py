"""How alike a converted model and its original are, as the builder found by asking both."""

import msgspec


class LogitParity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="logits"):
    """How alike two models guess the next token.

    Args:
        quantization: What the converted one was when it was compared.
        num_positions: How many tokens were guessed.
        top1: The share of them for which both find the same token likeliest.
        mean_kl: The mean Kullback-Leibler divergence from the original, in nats.
        other_tokens: The sample texts of which the tokenizers make different tokens.
    """

    quantization: str
    num_positions: int
    top1: float
    mean_kl: float
    other_tokens: list[str] = []

    def __str__(self) -> str:
        """Return the numbers for people."""
        return (
            f"the same likeliest token at {100 * self.top1:.2f} % of {self.num_positions} "
            f"positions, mean KL divergence {self.mean_kl:.1e} nats ({self.quantization})"
        )


class VectorParity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="vectors"):
    """How alike two models embed.

    Args:
        quantization: What the converted one was when it was compared.
        num_texts: How many texts were embedded.
        min_cosine: The lowest cosine between the vectors of a text.
        other_tokens: The sample texts of which the tokenizers make different tokens.
    """

    quantization: str
    num_texts: int
    min_cosine: float
    other_tokens: list[str] = []

    def __str__(self) -> str:
        """Return the numbers for people."""
        return (
            f"vectors of {self.num_texts} texts with cosines of {self.min_cosine:.5f} or more "
            f"({self.quantization})"
        )


Parity = LogitParity | VectorParity

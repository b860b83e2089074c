"""What makes a lazy grammar begin to constrain a text."""

import msgspec

from runtime.errors import RequestError

MAX_TRIGGERS = 64
MAX_WORD_CHARS = 1000


class GrammarTrigger(msgspec.Struct, frozen=True):
    """A word or a token; the grammar is that of the text from its first character on.

    Args:
        word: A text that may begin and end inside of tokens; empty where a token is meant.
        token: A token's id; None where a word is meant.
    """

    word: str = ""
    token: int | None = None


class TriggerPause(msgspec.Struct, frozen=True):
    """A part at the beginning of a text in which triggers are not looked for.

    Args:
        begin: What the text begins with if it has such a part, white space aside; empty where it
            has one in any case.
        end: What ends it.
    """

    begin: str
    end: str


def check_triggers(grammar: str, triggers: tuple[GrammarTrigger, ...]) -> None:
    """Check what a lazy grammar needs.

    Raises:
        RequestError: There is no grammar, no trigger, or too much of one.
    """
    if not grammar:
        raise RequestError("grammar_lazy needs a grammar.")
    if not triggers:
        raise RequestError("grammar_lazy needs grammar_triggers.")
    if len(triggers) > MAX_TRIGGERS:
        raise RequestError(f"grammar_triggers has over {MAX_TRIGGERS} triggers.")
    for trigger in triggers:
        if trigger.token is None and not trigger.word:
            raise RequestError("grammar_triggers has an empty word.")
        if len(trigger.word) > MAX_WORD_CHARS:
            raise RequestError(f"grammar_triggers has a word over {MAX_WORD_CHARS} characters.")

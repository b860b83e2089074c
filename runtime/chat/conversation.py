"""From messages to a generation request, for the terminal and for every API dialect."""

from runtime.chat.template import ChatTemplate, Message
from runtime.engine.model import Model


class ChatFormat:
    """A model's way to write a conversation as tokens.

    Args:
        model: The loaded model.
        system_prompt: The system message of conversations that bring none; may be empty.
    """

    def __init__(self, model: Model, system_prompt: str = "") -> None:
        self._model = model
        self._bos = model.bos_piece
        self._system_prompt = system_prompt
        self._template = ChatTemplate(
            model.chat_template, bos_token=self._bos, eos_token=model.eos_piece
        )

    def prompt(self, messages: list[Message]) -> list[int]:
        """Return the token ids that ask the model to answer a conversation.

        Raises:
            RequestError: The model's template refuses the messages.
        """
        if self._system_prompt and not any(message["role"] == "system" for message in messages):
            messages = [{"role": "system", "content": self._system_prompt}, *messages]
        text = self._template.render(messages)
        has_bos = bool(self._bos) and text.startswith(self._bos)
        return self._model.tokenize(text, add_special=not has_bos, parse_special=True)

"""The body of `/api/generate`."""

from runtime.chat.conversation import Conversation
from runtime.chat.template import Message
from runtime.engine.model import Model
from runtime.errors import RequestError
from runtime.server.dialects.ollama.request import AnswerFields, with_images
from runtime.server.errors import NotSupportedError
from runtime.server.json import Integer


class GenerateRequest(AnswerFields, kw_only=True):
    """The body of `/api/generate`; fields not named here are ignored."""

    prompt: str = ""
    suffix: str = ""
    system: str = ""
    template: str = ""
    context: list[Integer] | None = None
    raw: bool = False
    images: list[str] | None = None

    def check(self, model: Model) -> None:
        """Check that the fields can be used, and together.

        Raises:
            RequestError: One cannot, or two cannot.
        """
        if self.images and (self.raw or self.suffix or self.context):
            raise RequestError("With images there can be no raw, suffix or context.")
        if self.template:
            raise NotSupportedError(
                "template is in the language of Go's templates, which is not read here.",
                hint="Use the model's own, or write the prompt out and send it with raw.",
            )
        if self.raw and (self.system or self.context):
            raise RequestError("With raw there can be no system or context; write them out.")
        if self.suffix and (self.raw or self.system or self.context):
            raise RequestError("With suffix there can be no raw, system or context.")
        for token in self.context or ():
            if not 0 <= token < model.n_vocab:
                raise RequestError(
                    f"context has the token {token}, and the model's are 0 to {model.n_vocab - 1}."
                )

    def conversation(self, *, can_think: bool) -> Conversation:
        """Return what to answer, without what `context` holds.

        Args:
            can_think: Whether the model was made to think.

        Raises:
            RequestError: `think` or an image cannot be used.
        """
        messages: list[Message] = [
            {"role": "user", "content": with_images(self.prompt, self.images)}
        ]
        if self.system:
            messages.insert(0, {"role": "system", "content": self.system})
        return Conversation(
            messages, template_arguments=self.template_arguments(can_think=can_think)
        )

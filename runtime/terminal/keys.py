"""The keys of the line editor that mean something of their own."""

from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from runtime.terminal.message_text import is_complete


def key_bindings() -> KeyBindings:
    """Return keys by which Enter sends a whole message, and Alt-Enter or Ctrl-J begins a line."""
    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    @keys.add("escape", "enter")
    @keys.add("c-j")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys

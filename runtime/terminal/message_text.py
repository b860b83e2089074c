'''What was typed as a message: one line, lines that end in a backslash, or a block in """.'''

BLOCK = '"""'


def is_complete(typed: str) -> bool:
    """Say whether what was typed is a message, rather than the beginning of one."""
    text = typed.strip()
    if text.startswith(BLOCK):
        return len(text) >= 2 * len(BLOCK) and text.endswith(BLOCK)
    return not typed.endswith("\\")


def message_of(typed: str) -> str:
    """Return the message that was typed, without what told where it ends."""
    text = typed.strip()
    if text.startswith(BLOCK):
        return text.removeprefix(BLOCK).removesuffix(BLOCK).strip("\n")
    return text.replace("\\\n", "\n").removesuffix("\\").strip()

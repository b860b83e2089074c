"""The flags of servers."""

from runtime.settings.option import Option
from runtime.settings.values import DEFAULT_PORT

SERVER_OPTIONS = (
    Option("alias", ("-a", "--alias"), "the model's name for clients", "NAME"),
    Option("host", ("--host",), "address to listen on", "ADDRESS"),
    Option("port", ("--port",), f"port (default: {DEFAULT_PORT}, or the next free one)"),
    Option("max_queue", ("--max-queue",), "requests that may wait for their turn"),
    Option("timeout", ("-to", "--timeout"), "seconds a request may take (0: any time)"),
    Option(
        "allowed_hosts", ("--allowed-hosts",),
        "more names that the server goes by, between commas (*: all)", "NAMES", is_list=True,
    ),
    Option(
        "cors_origins", ("--cors-origins",),
        "web pages that may use the server, between commas (localhost: this machine's; *: all)",
        "ORIGINS", is_list=True,
    ),
    Option(
        "api_key", ("--api-key",), "keys that requests need one of, between commas",
        "KEY", is_list=True,
    ),
    Option("api_key_file", ("--api-key-file",), "the same, one on each line", "FILE"),
    Option("ssl_cert_file", ("--ssl-cert-file",), "certificate for HTTPS, PEM", "FILE"),
    Option("ssl_key_file", ("--ssl-key-file",), "its private key, PEM", "FILE"),
    Option("max_body", ("--max-body",), "MiB that a request's body may have"),
    Option("max_connections", ("--max-connections",), "connections open at once"),
    Option(
        "drain_timeout", ("--drain-timeout",),
        "seconds that running answers get to finish after SIGTERM",
    ),
    Option(
        "idle_exit", ("--idle-exit",),
        "seconds without an open page or a request, and it ends (0: never; double-clicked: 600)",
    ),
    Option(
        "log_prompts", ("--log-prompts",), "log what is asked, too", "",
    ),
    Option(
        "history", ("--history",), "keep the page's chats in this file", "FILE"
    ),
    Option(
        "browser", ("--browser", "--no-browser"),
        "open the chat page (default: when a screen is there)", "",
    ),
)  # fmt: skip

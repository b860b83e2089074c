"""The flags of servers."""

from runtime.settings.option import Option
from runtime.settings.values import DEFAULT_PORT

SERVER_OPTIONS = (
    Option("alias", ("-a", "--alias"), "server", "the model's name for clients", "NAME"),
    Option("host", ("--host",), "server", "address to listen on", "ADDRESS"),
    Option("port", ("--port",), "server", f"port (default: {DEFAULT_PORT}, or the next free one)"),
    Option("max_queue", ("--max-queue",), "server", "requests that may wait for their turn"),
    Option("timeout", ("-to", "--timeout"), "server", "seconds a request may take (0: any time)"),
    Option(
        "allowed_hosts", ("--allowed-hosts",), "server",
        "more names that the server goes by, between commas (*: all)", "NAMES", is_list=True,
    ),
    Option(
        "cors_origins", ("--cors-origins",), "server",
        "web pages that may use the server, between commas (localhost: this machine's; *: all)",
        "ORIGINS", is_list=True,
    ),
    Option(
        "api_key", ("--api-key",), "server", "keys that requests need one of, between commas",
        "KEY", is_list=True,
    ),
    Option("api_key_file", ("--api-key-file",), "server", "the same, one on each line", "FILE"),
    Option("ssl_cert_file", ("--ssl-cert-file",), "server", "certificate for HTTPS, PEM", "FILE"),
    Option("ssl_key_file", ("--ssl-key-file",), "server", "its private key, PEM", "FILE"),
    Option("max_body", ("--max-body",), "server", "MiB that a request's body may have"),
    Option("max_connections", ("--max-connections",), "server", "connections open at once"),
    Option(
        "drain_timeout", ("--drain-timeout",), "server",
        "seconds that running answers get to finish after SIGTERM",
    ),
    Option(
        "idle_exit", ("--idle-exit",), "server",
        "seconds without an open page or a request, and it ends (0: never; double-clicked: 600)",
    ),
    Option(
        "log_prompts", ("--log-prompts",), "server", "log what is asked, too", "",
    ),
    Option(
        "history", ("--history",), "server", "keep the page's chats in this file", "FILE"
    ),
    Option(
        "browser", ("--browser", "--no-browser"), "server",
        "open the chat page (default: when a screen is there)", "",
    ),
)  # fmt: skip

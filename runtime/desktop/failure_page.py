"""Why a start failed, told by a page where there is no terminal to tell it in.

The page is served and not opened as a file: browsers in a sandbox, as Ubuntu's, may read neither
temporary nor hidden folders.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jinja2 import Environment, FileSystemLoader

from runtime import __version__
from runtime.desktop.browser import open_page_beside
from runtime.errors import AppError
from runtime.payload import own_path
from runtime.server.pages import page_folder

# How long a browser may take to come up and ask for the page.
PATIENCE_S = 60.0
# Browsers ask for more than a page, such as its icon.
_LINGER_S = 1.0

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def show_failure(error: AppError) -> None:
    """Open a page that says what failed and what to do; returns once a browser has it."""
    page = failure_page(error).encode()
    is_shown = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        """Answers with the page, whatever it is asked."""

        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.end_headers()
            if self.path == "/":
                self.wfile.write(page)
                is_shown.set()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        open_page_beside(f"http://127.0.0.1:{server.server_port}/")
        if is_shown.wait(PATIENCE_S):
            # Nothing more is to come but perhaps an icon's absence.
            threading.Event().wait(_LINGER_S)
        server.shutdown()


def failure_page(error: AppError) -> str:
    """Return the page as HTML."""
    path = own_path()
    environment = Environment(loader=FileSystemLoader(page_folder()), autoescape=True)
    return environment.get_template("failure.html").render(
        message=error.message,
        hint=error.hint,
        name=path.name if path else "The solofile",
        version=__version__,
    )

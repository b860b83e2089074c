"""Opening pages in the browser of whoever sits at this machine."""

import threading


def open_page(address: str) -> None:
    """Open a page; returns once the browser was told, or has ended, by the kind of browser."""
    import webbrowser

    webbrowser.open(address)


def open_page_beside(address: str) -> None:
    """Open a page while everything else goes on."""
    threading.Thread(target=open_page, args=(address,), name="browser", daemon=True).start()

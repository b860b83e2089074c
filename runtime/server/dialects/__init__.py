"""The APIs that clients know, one package each, over the one `Task`."""

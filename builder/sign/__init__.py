"""Signing: keys as minisign keeps them, signatures inside solofiles and beside them."""

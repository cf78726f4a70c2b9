"""Coasts, and the borders between the provinces of China, for maps of more than a town.

They are simplified from Natural Earth, 1:10m (https://www.naturalearthdata.com, public domain), by
`geo/outlines/build.py`. Borders of states are not among them.
"""

from geo.outlines.file import Outline, OutlineKind, load_outlines

__all__ = ["Outline", "OutlineKind", "load_outlines"]

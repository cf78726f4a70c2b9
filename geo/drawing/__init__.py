"""Maps as SVG: places with numbers, the ways between them, a scale, a legend and a list below.

A map is one text without scripts, addresses or fonts of elsewhere. Whatever is written into it is a text or a
number, and never markup. The package knows nothing of the shop.
"""

from geo.drawing.elements import Look
from geo.drawing.ground import Trace, Track
from geo.drawing.map_drawing import MapDrawing, draw_map
from geo.drawing.marks import Mark
from geo.drawing.rows import MapRow, TimeSpan

__all__ = ["Look", "MapDrawing", "MapRow", "Mark", "TimeSpan", "Trace", "Track", "draw_map"]

"""Makes inter-regular.otf and inter-semibold.otf: the letters a chart needs of Inter.

Needs fonttools, and Inter as its project or a distribution packages it:

    python subset.py /usr/share/fonts/opentype/inter
"""

import pathlib
import sys

from fontTools import subset

LETTERS = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "".join(map(chr, range(0xA0, 0x100)))
    + "αβγδεθλμπρστφωΔΣ−–—‘’“”…•·×÷±≤≥≠≈∞√→←↑↓▲▼■●◆✕²³"
)

for weight in ["Regular", "SemiBold"]:
    source = pathlib.Path(sys.argv[1]) / f"Inter-{weight}.otf"
    options = subset.Options()
    options.layout_features = ["kern", "mark", "mkmk", "ccmp"]
    options.hinting = False
    options.desubroutinize = True
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14, 16, 17]
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=LETTERS)
    subsetter.subset(font)
    out = pathlib.Path(__file__).with_name(f"inter-{weight.lower()}.otf")
    subset.save_font(font, out, options)
    print(out.name, out.stat().st_size, "bytes")

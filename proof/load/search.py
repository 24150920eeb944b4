"""The search for canaries, against itself: whoever finds nothing must be able to find."""

import canaries
from load import stage


def run(terms, path):
    figures = stage.Figures("search")
    for kind in ("token", "secret"):
        missed = canaries.misses(path, canaries.make(terms.chance, kind))
        figures.zero(f"{kind}: encodings that are planted and not found", len(missed), ", ".join(missed))
    return figures

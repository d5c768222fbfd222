"""docs/results/atlas.md: the map of every problem of the atlas, with the number of s behind it.

    python -m benchmarks.atlas_page --atlas out/atlas --page docs/results/atlas.md

`make atlas-page` makes the atlas and then this page.

Source: ours.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from diagflow.atlas.problems import EXAMPLES, PRESETS, file_name, listed
from diagflow.files import write_whole

__all__ = ["figure", "main", "page"]

_HEAD = """# The atlas

Every preset and every file of `examples/` has a page: polygon and regime map whose parts are
links, formulas, derivations, curves at any sizes, simulations, certificates. `make atlas` makes
them within half an hour on two processors, and again only where something changed; [how to walk
through them](../how-to/walk-through-the-regimes.md).

<!-- published: atlas -->

The maps: across the exponent of one size, up that of the variance, relative to the other size;
where there is no plane, stripes. <span class="swatch" style="background:#bcd9ee"></span> free,
<span class="swatch" style="background:#f6d993"></span> lazy,
<span class="swatch" style="background:#a9dcc6"></span> rich. Under each stand the number of its
regimes and the coefficients Y_0 … Y_s from which they are read; `make atlas-page` writes this page.
Ten of the problem files are in no paper: coupled factorisations, a residual layer, the gated
autoencoder, quadratic in the input, rank one, rectangular data, a shared factor, Tucker, two
teachers and two variances.

<style>
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
.maps figure { margin: 0; }
.maps svg { width: 7rem; height: 7rem; border-radius: 4px; }
.maps figcaption { font-size: .65rem; line-height: 1.35; margin: .2rem 0 0; max-width: none; }
.maps figcaption { text-align: left; font-style: normal; }
.swatch { display: inline-block; width: .9em; height: .9em; border: 1px solid #888; }
</style>
"""


def figure(name: str, kept: Mapping[str, Any]) -> str:
    """The map of a problem with a caption, as HTML on one line.

    Parameters
    ----------
    name : str
        As it is written on the command line.
    kept : mapping
        Of the folder ``data`` of an atlas.
    """
    record = kept["record"]
    words = record["problem"].get("words", name)
    count, last = len(record["regimes"]), record["last_term"]
    regimes = f"{count} regime{'s' * (count != 1)}"
    said = words[:1].upper() + words[1:] if words.startswith("the ") else words
    caption = f"{escape(said)}<br><code>{escape(name)}</code><br>{regimes}, s = 0 … {last}"
    return f"<figure>{kept['thumbnail']}<figcaption>{caption}</figcaption></figure>"


def page(atlas: Path, names: Iterable[str]) -> str:
    """The page in Markdown.

    Parameters
    ----------
    atlas : Path
        The folder of the atlas.
    names : iterable of str
        Of the problems, as on the command line; those without data are left out.
    """
    found = {}
    for name in names:
        file = atlas / "data" / f"{file_name(name)}.json"
        if file.is_file():
            found[name] = figure(name, json.loads(file.read_text(encoding="utf-8")))
    parts = [_HEAD]
    for title, chosen in (
        ("Presets", [name for name in found if name in PRESETS]),
        ("Problem files", [name for name in found if name not in PRESETS]),
    ):
        rows = "\n".join(found[name] for name in chosen)
        parts.append(f'## {title}\n\n<div class="maps">\n{rows}\n</div>\n')
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--atlas", type=Path, default=Path("out/atlas"))
    parser.add_argument("--page", type=Path, default=Path("docs/results/atlas.md"))
    given = parser.parse_args()
    write_whole(given.page, page(given.atlas, listed([*PRESETS, str(EXAMPLES)])))


if __name__ == "__main__":
    main()

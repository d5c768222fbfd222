"""What the site publishes beside its pages: the atlas, and the notebooks with their outputs.

`make atlas` and `make notebooks` leave them under ``out``; ``DIAGFLOW_PUBLISHED`` names another
folder. Pages say where they stand with the lines ``<!-- published: atlas -->`` and
``<!-- published: notebooks -->``; what was not made is named there with the verb that makes it.

Source: ours; the hooks are those of MkDocs.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from diagflow.atlas.page import katex_style

__all__ = ["notebook_markdown"]

ROOT = Path(__file__).resolve().parent.parent
KATEX = ROOT / "diagflow" / "atlas" / "static" / "katex"
NOT_MADE = "*Not part of this build: `make {verb}` makes them, then `make docs` publishes them.*"

HEAD = """<link rel="stylesheet" href="../katex/katex.min.css">
<script src="../katex/katex.min.js" defer></script>
<script src="../katex/set.js" defer></script>
"""
"""What a page with mathematics loads, from the site itself."""

SET = """document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll(".arithmatex")) {
    const text = element.textContent.trim().replace(/^\\\\[([]|\\\\[)\\]]$/g, "");
    const display = element.tagName === "DIV";
    katex.render(text, element, { displayMode: display, throwOnError: false, strict: false });
  }
});
"""


def made() -> Path:
    """The folder with what the verbs made."""
    return Path(os.environ.get("DIAGFLOW_PUBLISHED", ROOT / "out"))


def notebooks() -> list[Path]:
    """The notebooks with their outputs."""
    return sorted((made() / "notebooks").glob("*.ipynb"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every notebook."""
    for path in notebooks():
        notebook = json.loads(path.read_text(encoding="utf-8"))
        files.append(
            File.generated(
                config,
                f"notebooks/{path.stem}.md",
                content=notebook_markdown(notebook),
                inclusion=InclusionLevel.NOT_IN_NAV,
            )
        )
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put links to what is published in the places for them."""
    atlas = made() / "atlas" / "index.html"
    links = {
        "atlas": '<a class="md-button" href="../atlas/index.html">Walk through the atlas</a>'
        if atlas.is_file()
        else NOT_MADE.format(verb="atlas"),
        "notebooks": "\n".join(
            f"- [{_title(path)}](../notebooks/{path.stem}.md)" for path in notebooks()
        )
        or NOT_MADE.format(verb="notebooks"),
    }
    return re.sub(r"<!-- published: (\w+) -->", lambda match: links[match[1]], markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Copy the pages of the atlas, and what sets the mathematics of the notebooks."""
    site = Path(config.site_dir)
    for page in sorted((made() / "atlas").glob("*.html")):
        (site / "atlas").mkdir(exist_ok=True)
        shutil.copyfile(page, site / "atlas" / page.name)
    if notebooks():
        (site / "katex").mkdir(exist_ok=True)
        (site / "katex" / "katex.min.css").write_text(katex_style(), encoding="utf-8")
        shutil.copyfile(KATEX / "katex.min.js", site / "katex" / "katex.min.js")
        shutil.copyfile(KATEX / "LICENSE", site / "katex" / "LICENSE")
        (site / "katex" / "set.js").write_text(SET, encoding="utf-8")


def notebook_markdown(notebook: dict[str, Any]) -> str:
    """A notebook with its outputs as a page.

    Parameters
    ----------
    notebook : dict
        Of the format of Jupyter, version 4.
    """
    parts = [HEAD]
    for cell in notebook["cells"]:
        source = _text(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
        elif cell["cell_type"] == "code":
            parts.append(_fenced(source, "python"))
            parts += [shown for output in cell["outputs"] if (shown := _output(output))]
    return "\n\n".join(parts) + "\n"


def _output(output: dict[str, Any]) -> str:
    """One output, in the richest form that a page shows."""
    if output["output_type"] == "stream":
        return _fenced(_text(output["text"]).rstrip("\n"), "text")
    data = output.get("data", {})
    for kind in ("image/svg+xml", "text/html"):
        if kind in data:
            # On one line: an empty line would end the block.
            return f"<div>{' '.join(_text(data[kind]).split())}</div>"
    if "image/png" in data:
        return f'<p><img alt="figure" src="data:image/png;base64,{_bare(data["image/png"])}"></p>'
    if "text/latex" in data:
        return f'<div class="arithmatex">{escape(_bare_formula(_text(data["text/latex"])))}</div>'
    return _fenced(_text(data["text/plain"]), "text") if "text/plain" in data else ""


def _title(path: Path) -> str:
    """The first heading of a notebook, or its name."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        found = re.search(r"^# (.*)$", _text(cell["source"]), re.MULTILINE)
        if cell["cell_type"] == "markdown" and found:
            return found[1]
    return path.stem


def _text(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def _bare(image: str | list[str]) -> str:
    """An image as base64 without spaces."""
    text = "".join(_text(image).split())
    base64.b64decode(text, validate=True)
    return text


def _bare_formula(latex: str) -> str:
    """A formula without its delimiters."""
    text = latex.strip()
    for start, end in (("$$", "$$"), ("$", "$"), ("\\[", "\\]")):
        if text.startswith(start) and text.endswith(end):
            text = text[len(start) : -len(end)]
            break
    return text.replace("\\displaystyle", "").strip()


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"

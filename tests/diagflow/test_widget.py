"""The widget of a notebook: the page in a frame, the regime in both directions, the fallback."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from diagflow import widget
from diagflow.atlas.page import static
from diagrams.errors import InvalidInputError
from expansion.models import cp
from expansion.regimes import Regimes, regimes
from expansion.series import loss_series
from expansion.series_exponents import SeriesExponents
from tests.browser import Browser, program
from tests.test_notebooks import run

needs_widget = pytest.mark.skipif(
    not widget.is_available(), reason="anywidget is not installed here: pip install anywidget"
)

HOST = """<!DOCTYPE html><html><body><div id="here"></div>
<script type="application/json" id="module">%s</script>
<script type="application/json" id="page">%s</script>
<script>
const text = (id) => JSON.parse(document.getElementById(id).textContent);
const traits = { page: text("page"), height: 640, regime: "B" };
const listeners = {};
window.model = {
  get: (name) => traits[name], saved: 0,
  set(name, value) {
    traits[name] = value;
    for (const f of listeners[`change:${name}`] || []) f();
  },
  on(name, f) { (listeners[name] ||= []).push(f); }, off() {}, save_changes() { this.saved += 1; },
};
import(URL.createObjectURL(new Blob([text("module")], { type: "text/javascript" })))
  .then(({ default: widget }) => {
    window.close_ = widget.render({ model: window.model, el: document.getElementById("here") });
    document.documentElement.dataset.ready = "yes";
  });
</script></body></html>"""


@pytest.fixture(scope="module")
def found() -> Regimes:
    return regimes(cp(order=2, symmetric=True), terms=4)


def embedded(text: str) -> str:
    return json.dumps(text).replace("<", "\\u003c")


def test_without_the_package_there_is_a_word_and_the_table(
    found: Regimes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widget, "is_available", lambda: False)
    with pytest.raises(
        InvalidInputError, match=r"needs anywidget.*pip install 'diagflow\[widget\]'"
    ):
        widget.explorer(found)
    assert widget.widget_bundle(found) is None


def test_outside_a_notebook_nothing_is_solved_for_a_widget(found: Regimes) -> None:
    assert found._repr_mimebundle_() == {}
    series = loss_series(cp(order=2, target="zero"))
    given = regimes(SeriesExponents.of_coefficients([series[s] for s in range(5)]))
    assert given._repr_mimebundle_() == {}


@pytest.mark.skipif(program() is None, reason="there is no Chromium on this machine")
def test_the_regime_is_the_same_in_the_notebook_and_in_the_frame(
    found: Regimes, tmp_path: Path
) -> None:
    text = widget.widget_page(found, seconds=60)
    host = tmp_path / "host.html"
    host.write_text(HOST % (embedded(static("widget.js")), embedded(text)), encoding="utf-8")
    with Browser() as shown:
        shown.open(host)
        assert shown.run("document.querySelector('iframe').style.height") == "640px"
        # The page says which regime it shows as soon as it is there: that of the trait.
        shown.run("window.addEventListener('message', (e) => { window.heard = e.data.name; })")
        shown.run("model.set('regime', 'A-B')")
        shown.wait("window.heard === 'A-B'")
        box = shown.run(
            "(() => { const b = document.querySelector('iframe').getBoundingClientRect(); "
            "return [b.left, b.top]; })()"
        )
        # The region A fills the upper left of the map, on the right of the frame.
        shown.click(box[0] + 850, box[1] + 350)
        shown.wait("model.saved > 0")
        assert shown.run("model.get('regime')") == "A"
        assert shown.complaints == []


@needs_widget
def test_the_widget_has_the_page_and_a_regime(found: Regimes) -> None:
    made = widget.explorer(found, seconds=0.01, height=500)
    assert made.page.startswith("<!DOCTYPE html>") and made.regime == "" and made.height == 500
    made.regime = "A-B"
    assert made.regime == "A-B"


@needs_widget
def test_a_notebook_shows_the_widget_and_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    source = "from diagflow import cp, regimes\nregimes(cp(order=2, symmetric=True), terms=4)"
    path = tmp_path / "one.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)
    data: dict[str, Any] = run(path, tmp_path).cells[0].outputs[0]["data"]
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<table>" in data["text/html"] and "7 regimes of cp" in data["text/plain"]

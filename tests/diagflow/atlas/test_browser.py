"""The pages in a real browser: every regime, numbers against the engine, keyboard, no network."""

import base64
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from diagflow.atlas.build import Wanted, build_atlas
from diagflow.atlas.explorer import explore, write_explorer
from diagflow.atlas.page import page
from diagflow.atlas.pictures import terms_record
from diagflow.atlas.record import explorer_record
from diagflow.report.article import solutions
from expansion.closest_regime import where
from expansion.models import cp, mlp_linear, tied_autoencoder
from expansion.problem_files.problem_file import read_problem_file
from expansion.regimes import Regimes, regimes
from expansion.series import LossSeries
from pde.solving import solve
from tests.browser import Browser, program

pytestmark = pytest.mark.skipif(program() is None, reason="there is no Chromium on this machine")

TERMS = 4
PROBLEMS = {
    "symmetric": lambda: cp(order=2, symmetric=True),
    "asymmetric": lambda: cp(order=2),
    "line": lambda: mlp_linear(depth=2),
}
AT = {"p": "64", "H": "256", "sigma2": "1/2048"}


class Pages:
    """Pages with the maps that they show, each made when it is asked for first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, tuple[Path, Regimes]] = {}

    def __getitem__(self, name: str) -> tuple[Path, Regimes]:
        if name not in self._made:
            problem, file = PROBLEMS[name](), self._folder / f"{name}.html"
            found = regimes(problem, terms=TERMS)
            if name == "symmetric":  # the quick tests do without tables and cores
                drawn = terms_record(LossSeries(problem), 1)
                text = page(explorer_record(found, solutions(found), terms=drawn))
                file.write_text(text, encoding="utf-8")
            else:
                write_explorer(explore(problem, terms=TERMS, simulate=False), file)
            self._made[name] = file, found
        return self._made[name]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as shown:
        yield shown


def click_on(browser: Browser, selector: str) -> None:
    """Click in the middle of an element, as a hand would."""
    browser.run(
        f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})"
    )
    box = browser.run(
        f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
        ".getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; })()"
    )
    browser.click(*box)


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("asymmetric", "line")]


@pytest.mark.parametrize("name", ["symmetric", *SLOW])
def test_every_regime_shows_its_formula_and_nothing_complains(
    browser: Browser, pages: Pages, name: str
) -> None:
    file, found = pages[name]
    browser.complaints.clear()
    browser.requests.clear()
    browser.open(file)
    for regime in found:
        browser.run(
            f"[...document.querySelectorAll('#table a')].find(a => a.textContent === "
            f"{json.dumps(regime.name.replace('-', chr(0x2013)))}).click()"
        )
        browser.wait(
            "document.getElementById('regime-title').textContent.endsWith("
            f"{json.dumps(regime.name.replace('-', chr(0x2013)))})"
        )
        assert browser.run("document.querySelectorAll('#regime .katex').length") > 1
        assert browser.run("document.querySelectorAll('.katex-error').length") == 0
        assert "regime=" in browser.run("location.hash")
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    browser.wait("document.querySelectorAll('#diagrams svg').length > 0")
    assert browser.run("document.querySelectorAll('.katex-error').length") == 0
    assert browser.complaints == []
    assert {url.partition("#")[0] for url in browser.requests if not url.startswith("data:")} == {
        file.as_uri()
    }


def test_a_click_on_a_region_chooses_it_and_the_back_button_returns(
    browser: Browser, pages: Pages
) -> None:
    browser.open(pages["symmetric"][0], "#regime=A")
    title = "document.getElementById('regime-title').textContent"
    assert browser.run(title) == "Regime A"
    click_on(browser, "#map a[data-regime='E'] .region")
    browser.wait(f"{title} === 'Regime E'")
    click_on(browser, "#exponents a[data-regime='A-B']")
    browser.wait(f"{title} === 'Regime A–B'")
    browser.run("history.back()")
    browser.wait(f"{title} === 'Regime E'")
    browser.run("history.back()")
    browser.wait(f"{title} === 'Regime A'")


def test_a_deep_link_restores_regime_coefficient_and_numbers(
    browser: Browser, pages: Pages
) -> None:
    at = ",".join(f"{name}:{value}" for name, value in AT.items())
    browser.open(pages["symmetric"][0], f"#regime=B-E&s=2&at={at}")
    assert browser.run("document.getElementById('regime-title').textContent") == "Regime B–E"
    assert browser.run("document.getElementById('order').value") == "2"
    assert browser.run("document.getElementById('number-sigma2').value") == "1/2048"


@pytest.mark.parametrize("name", ["symmetric", SLOW[0]])
@pytest.mark.parametrize("at", [AT, {"p": "100", "H": "10", "sigma2": "2e-3"}], ids=str)
def test_the_page_computes_what_the_engine_says(
    browser: Browser, pages: Pages, name: str, at: dict[str, str]
) -> None:
    file, found = pages[name]
    browser.open(file)
    exact = {symbol: Fraction(value) for symbol, value in at.items()}
    texts = ", ".join(f"{symbol}: Numbers.parsed('{value}')" for symbol, value in at.items())
    floats = ", ".join(f"{symbol}: {float(value)!r}" for symbol, value in exact.items())
    browser.run(
        "globalThis.record = JSON.parse(document.getElementById('record').textContent); "
        f"globalThis.place = Numbers.where(record, {{{texts}}}); 1"
    )
    expected = where(found, at=exact)
    assert browser.run("place.closest.name") == expected.closest.name
    for regime, share in browser.run("place.table.map(e => [e.regime.name, e.share])"):
        assert share == pytest.approx(float(expected.share(regime)), rel=1e-6, abs=1e-9)
    compared = 0
    for regime in found:
        how, times, losses = browser.run(
            "(() => { const c = Numbers.curve(record, record.regimes.find("
            f"r => r.name === {json.dumps(regime.name)}), {{{floats}, T: 1}}, place.known); "
            "const t = [0.25, 0.5, 0.9].map(f => f * (c.stop || c.start)); "
            "return [c.how, t, t.map(c.loss)]; })()"
        )
        if how == "formula":
            assert losses == pytest.approx(list(solve(found, regime.name, at=exact)(times)))
            compared += 1
    assert compared > 3


def test_a_point_that_is_dragged_changes_the_numbers(browser: Browser, pages: Pages) -> None:
    at = ",".join(f"{name}:{value}" for name, value in AT.items())
    browser.open(pages["symmetric"][0], f"#regime=E&at={at}")
    before = browser.run("document.getElementById('number-H').value")
    x, y = browser.run(
        "(() => { const s = document.querySelector('.own-point'); "
        "s.scrollIntoView({block: 'center'}); const b = s.getBoundingClientRect(); "
        "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
    )
    browser.mouse("mousePressed", x, y)
    browser.mouse("mouseMoved", x - 60, y - 20)
    browser.mouse("mouseReleased", x - 60, y - 20)
    after = browser.run("document.getElementById('number-H').value")
    assert float(after) < float(before)
    assert "neglects about" in browser.run("document.getElementById('nearest').textContent")


def test_a_point_that_is_pressed_and_not_moved_chooses_the_region_under_it(
    browser: Browser, pages: Pages
) -> None:
    at = ",".join(f"{name}:{value}" for name, value in AT.items())
    browser.open(pages["symmetric"][0], f"#regime=A&at={at}")
    before = browser.run("document.getElementById('number-H').value")
    click_on(browser, ".own-point")
    browser.wait("document.getElementById('regime-title').textContent === 'Regime E'")
    assert browser.run("document.getElementById('number-H').value") == before


def test_a_wrong_number_is_marked_and_changes_nothing(browser: Browser, pages: Pages) -> None:
    browser.open(pages["symmetric"][0], "#regime=E")
    for text, invalid in (("-3", "true"), ("zero", "true"), ("1/0", "true"), ("32", "false")):
        browser.run(
            "(() => { const i = document.getElementById('number-H'); i.focus(); "
            f"i.value = {json.dumps(text)}; i.dispatchEvent(new Event('input')); }})()"
        )
        marked = browser.run("document.getElementById('number-H').getAttribute('aria-invalid')")
        assert marked == invalid


def test_the_keyboard_alone_reaches_and_opens_every_regime_of_the_map(
    browser: Browser, pages: Pages
) -> None:
    file, found = pages["symmetric"]
    browser.open(file)
    reached = set()
    for _ in range(60):
        browser.press("Tab")
        name = browser.run("document.activeElement.dataset.regime || ''")
        if name and browser.run("!!document.activeElement.closest('#map')"):
            browser.press("Enter")
            shown = name.replace("-", "–")
            browser.wait(
                f"document.getElementById('regime-title').textContent === 'Regime {shown}'"
            )
            reached.add(name)
            browser.run(f"document.querySelector('#map a[data-regime=\"{name}\"]').focus()")
    assert reached == {regime.name for regime in found}


def test_on_paper_every_regime_is_unfolded_and_nothing_is_to_be_clicked(
    browser: Browser, pages: Pages
) -> None:
    file, found = pages["symmetric"]
    browser.complaints.clear()
    browser.open(file, "#regime=B")
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    browser.call("Emulation.setEmulatedMedia", media="print")
    headings = browser.run(
        "[...document.querySelectorAll('.printed-regime h2')].map((e) => e.textContent)"
    )
    assert headings == [f"Regime {regime.name.replace('-', '–')}" for regime in found]
    assert browser.run("document.querySelectorAll('.printed-regime .formula').length") >= len(found)
    shown = "[...document.querySelectorAll('button, input, summary')].filter((e) => e.offsetHeight)"
    assert browser.run(f"{shown}.length") == 0
    assert browser.run("document.getElementById('diagrams-details').open")
    browser.call("Emulation.setEmulatedMedia", media="screen")
    browser.run("window.dispatchEvent(new Event('afterprint'))")
    assert browser.run("document.getElementById('printed')") is None
    assert not browser.run("document.getElementById('diagrams-details').open")
    paper = browser.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
    assert base64.b64decode(paper["data"]).startswith(b"%PDF")
    assert browser.complaints == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_window_and_texts_have_contrast(
    pages: Pages, width: int, dark: bool
) -> None:
    with Browser(width=width, height=740, dark=dark) as shown:
        shown.open(pages["symmetric"][0], "#regime=A-B-E")
        assert shown.run("document.documentElement.scrollWidth") <= width
        worst = shown.run(CONTRAST)
        assert worst >= 4.5


LETTERS = """
Math.min(...[...document.querySelectorAll('#map text, #exponents text, #own-curve text')].map((e) =>
  parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getBoundingClientRect().width
    / e.ownerSVGElement.viewBox.baseVal.width))
"""


def test_on_a_narrow_screen_letters_are_legible_and_links_lead_to_the_regime(pages: Pages) -> None:
    with Browser(width=360, height=740) as shown:
        shown.open(pages["symmetric"][0], "#regime=E")
        assert shown.run(LETTERS) >= 9
        for where in ("#table a[href*='regime=A-B&']", "#map a[data-regime='A'] .region"):
            click_on(shown, where)
            place = "document.getElementById('regime').getBoundingClientRect().top"
            shown.wait(f"Math.abs({place}) < 100")


def test_the_map_is_the_slice_on_which_the_point_lies(browser: Browser, tmp_path: Path) -> None:
    found = regimes(tied_autoencoder(data=True), terms=3)
    file = tmp_path / "slice.html"
    file.write_text(page(explorer_record(found, {})), encoding="utf-8")
    under = (
        "(() => { const s = document.querySelector('.own-point'); s.scrollIntoView({block: "
        "'center'}); const b = s.getBoundingClientRect(); return document.elementsFromPoint(b.left "
        "+ b.width / 2, b.top + b.height / 2).map(e => e.closest('a[data-regime]'))"
        ".filter(Boolean)[0].dataset.regime; })()"
    )
    for numbers, name in (
        ("p:10,H:1000,N:1000,sigma2:1e-6", "large-data & mean-field & narrow-latent"),
        ("p:1000,H:10,N:50,sigma2:1e-6", "small-data & narrow-latent & mean-field"),
        ("p:10,H:1000,N:1000,sigma2:10", "large-data & mean-field & free"),
    ):
        browser.open(file, f"#at={numbers}")
        expected = found[name].name
        assert browser.run(under) == expected
        assert "A slice of the map: here H ~ p^" in browser.run(
            "document.getElementById('map').textContent"
        )
    texts = browser.run("document.getElementById('table').textContent")
    assert "mean-field" in texts and "mean–field" not in texts


APART = """
[...document.querySelectorAll('#own-curve text.end')].map((e) => e.textContent)
"""


def test_ticks_of_a_curve_that_hardly_falls_differ(browser: Browser, pages: Pages) -> None:
    browser.open(pages["symmetric"][0], "#regime=E&at=p:30,H:30,sigma2:1e-9")
    texts = browser.run(
        "(() => { const y = [15.0001389, 15.0001382]; const lines = [{ x: [0, 1], y, class: '' }];"
        " const drawn = Curves.figure({ lines, bands: [], xName: '', yName: '', label: '' });"
        " return [...drawn.querySelectorAll('text.end')].map((e) => e.textContent); })()"
    )
    assert len(texts) > 2 and len(set(texts)) == len(texts)
    shown = browser.run(APART)
    assert len(shown) > 2 and len(set(shown)) == len(shown)
    assert browser.run("Drawing.tidy(2.7e-7)") == "2.7·10⁻⁷"


def test_a_curve_far_from_its_regime_says_that_it_is_not_the_loss(
    browser: Browser, pages: Pages
) -> None:
    at = "p:64,H:64,sigma2:1e-6"
    for regime, apart in (("A", True), ("E", False), ("A-B-E", False)):
        browser.open(pages["symmetric"][0], f"#regime={regime}&at={at}")
        said = browser.run("document.querySelector('#own-curve figcaption').textContent")
        assert ("its curve is not the loss there" in said) == apart
        assert "times the loss of the loss" not in browser.run("document.body.textContent")


def test_the_nearest_regime_is_told_apart_from_that_which_neglects_least(
    browser: Browser, pages: Pages
) -> None:
    browser.open(pages["symmetric"][0], "#at=p:64,H:64,sigma2:1e-6")
    said = browser.run("document.getElementById('nearest').textContent")
    assert "the nearest regime is E;" in said
    assert (
        "neglect at most 10 % it is the face of the lowest dimension; A–B–E neglects least" in said
    )


def test_no_formula_is_wider_than_the_sheet(pages: Pages) -> None:
    with Browser(width=716) as shown:  # a sheet between its margins
        shown.open(pages["symmetric"][0], "#regime=A-B-E")
        shown.run("window.dispatchEvent(new Event('beforeprint'))")
        shown.call("Emulation.setEmulatedMedia", media="print")
        wide = shown.run(
            "[...document.querySelectorAll('#printed .formula, #printed .step > .math')]"
            ".filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"
        )
        assert wide == []
        assert shown.run("document.querySelectorAll('#printed [style*=font-size]').length") > 0


CROWDED = """
[axes]
p = "growing"
H = "growing"

[tensors.W]
kind = "weight"
axes = ["H", "p"]
variance = "sigma2"

[tensors.a]
kind = "weight"
axes = ["H"]
variance = 1

[losses.train]
outputs = ["i", "j"]
model = "a[k] W[k,i] W[k,j]"
target = "identity"
"""
COVERED = """
(() => {
  const boxes = [...document.querySelectorAll('#map text.name, #map text.small:not(.end)')]
    .map((e) => [e.textContent, e.getBoundingClientRect()]);
  return boxes.flatMap(([a, s], k) => boxes.slice(k + 1).filter(([, r]) =>
    s.left < r.right && r.left < s.right && s.top + 3 < r.bottom && r.top + 3 < s.bottom)
    .map(([b]) => `${a} / ${b}`));
})()
"""


OUTSIDE = """
[...document.querySelectorAll('#exponents text.name')].filter((e) => {
  const [text, all] = [e, e.ownerSVGElement].map((x) => x.getBoundingClientRect());
  return text.left < all.left || text.right > all.right;
}).map((e) => e.textContent)
"""


def test_a_long_name_at_the_edge_of_the_polygon_is_not_cut_off(
    browser: Browser, pages: Pages, tmp_path: Path
) -> None:
    file = tmp_path / "long.html"
    text = pages["symmetric"][0].read_text(encoding="utf-8")
    file.write_text(text.replace('"B"', '"B and others"'), encoding="utf-8")
    browser.open(file)
    names = "[...document.querySelectorAll('#exponents text.name')].map((e) => e.textContent)"
    assert "B and others" in browser.run(names)
    assert browser.run(OUTSIDE) == []


def test_names_of_a_crowded_map_do_not_cover_each_other(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "crowded.toml"
    file.write_text(CROWDED, encoding="utf-8")
    found = regimes(read_problem_file(file), terms=TERMS)
    shown = tmp_path / "crowded.html"
    shown.write_text(page(explorer_record(found, {})), encoding="utf-8")
    browser.open(shown)
    assert browser.run("document.querySelectorAll('#map text.name').length") > 5
    assert browser.run(COVERED) == []
    label = browser.run("document.querySelector('#map a[data-regime]').getAttribute('aria-label')")
    assert "∞" in label and "->" not in label


CONTRAST = """
(() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = 'p, a, td, th, dt, dd, li, button, summary, figcaption';
  return Math.min(...[...document.querySelectorAll(texts)]
    .filter((e) => e.textContent.trim() && e.namespaceURI.endsWith('xhtml'))
    .filter((e) => !e.classList.contains('skip'))
    .map((e) => ratio(light(getComputedStyle(e).color), light(ground(e)))));
})()
"""


@pytest.mark.slow
def test_an_atlas_filters_compares_and_links(browser: Browser, tmp_path: Path) -> None:
    names = ["cp --order 2", "cp --order 2 --symmetric"]
    built = build_atlas(names, Wanted(tmp_path, terms=4, simulate=False))
    assert built.failed == {} and built.pages == names
    browser.complaints.clear()
    browser.open(tmp_path / "index.html")
    assert browser.run("document.querySelectorAll('.tile').length") == 2
    browser.run(
        "(() => { const s = document.getElementById('symmetric'); s.value = 'true'; "
        "s.dispatchEvent(new Event('change')); })()"
    )
    assert browser.run("document.querySelectorAll('.tile').length") == 1
    assert "symmetric=true" in browser.run("location.hash")
    browser.run("document.getElementById('reset').click()")
    for box in (0, 1):
        browser.run(f"document.querySelectorAll('.tile input')[{box}].click()")
    browser.wait("!document.getElementById('comparison').hidden")
    assert browser.run("document.querySelectorAll('iframe').length") == 2
    assert browser.run("document.querySelectorAll('#regimes .tag').length") > 10
    assert browser.complaints == []

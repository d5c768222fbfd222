"""The command draw: what it writes, what it refuses, and that it refuses in one line."""

import os
from pathlib import Path

import pytest

from tests.command import Run

SYM = ("cp", "--order", "2", "--symmetric")


def test_draw_writes_the_file_it_names(run: Run, folder: Path) -> None:
    done = run("draw", *SYM, "--what", "terms", "--terms", "2", "--output", "terms.svg")
    assert done == (0, "written: terms.svg\n", "")
    assert (folder / "terms.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert os.listdir(folder) == ["terms.svg"]


def test_draw_without_what_draws_the_blocks(run: Run, folder: Path) -> None:
    assert run("draw", "cp", "--order", "3", "--output", "blocks.tex").code == 0
    text = (folder / "blocks.tex").read_text(encoding="utf-8")
    for caption in ("$D$", "$R$", "$\\|F\\|^{2}$"):
        assert caption in text
    assert text.count("\\begin{minipage}") == 3
    assert text.count(".. controls") == 6 + 3


def test_draw_says_what_does_not_fit(run: Run, folder: Path) -> None:
    done = run("draw", *SYM, "--what", "contractions", "--at-most", "4", "--output", "some.tex")
    # Y_0: 1 + 2 + 4 pictures, Y_1: 2 + 4 + 7.
    assert done == (0, "written: some.tex; 16 more do not fit, see --at-most\n", "")


def test_draw_does_not_count_what_it_cannot_contract(run: Run, folder: Path) -> None:
    """Y_2 has diagrams with too many matchings, but none of them is among the first pictures."""
    arguments = ("cp", "--order", "4", "--symmetric", "--what", "contractions", "--terms", "2")
    done = run("draw", *arguments, "--at-most", "5", "--output", "a.tex")
    assert done == (0, "written: a.tex; many more do not fit, see --at-most\n", "")
    assert "and many more" in (folder / "a.tex").read_text(encoding="utf-8")


def test_an_observable_has_blocks_terms_and_contractions(run: Run, folder: Path) -> None:
    """|W|^2/2 is one block, and its derivative one merger with each of D and R."""
    for what, pictures in (("blocks", 1), ("terms", 3), ("contractions", 8)):
        words = ("--observable", "weight-norm", "--what", what, "--output", "norm.tex")
        assert run("draw", *SYM, *words) == (0, "written: norm.tex\n", "")
        text = (folder / "norm.tex").read_text(encoding="utf-8")
        assert text.count("\\begin{minipage}") == pictures, what
        assert ("$G:" in text) == (what == "blocks")


@pytest.mark.parametrize("ending", ["tex", "svg"])
def test_a_page_says_what_its_captions_mean(run: Run, folder: Path, ending: str) -> None:
    words = ("draw", "tied-autoencoder", "--data", "--terms", "0", "--output", f"page.{ending}")
    for what, meaning in (
        ("blocks", "E is the expectation"),
        ("terms", "its coefficient; E is the expectation"),
        ("contractions", "how many there are, times what each"),
    ):
        assert run(*words, "--what", what).code == 0
        text = (folder / f"page.{ending}").read_text(encoding="utf-8")
        if ending == "tex":  # letters of the other are outlines
            assert meaning in " ".join(text.split())
            assert "$X$, not learnt" in text and "$W$, not" not in text


def test_a_cumulant_is_drawn_by_products_and_their_connected_contractions(
    run: Run, folder: Path
) -> None:
    """The variance of |W|^2/2 is one square beside another, contracted with it in two ways."""
    words = ("draw", *SYM, "--observable", "weight-norm", "--cumulant", "2", "--terms", "0")
    for what, pictures in (("blocks", 1), ("terms", 1), ("contractions", 2)):
        assert run(*words, "--what", what, "--output", "norm.tex").code == 0
        text = (folder / "norm.tex").read_text(encoding="utf-8")
        assert text.count("\\begin{minipage}") == pictures, what
        assert ("\\kappa_{2} = 2 p H \\sigma^{4}" in text) == (what == "terms")
        assert ("2\\times p H \\sigma^{4}" in text) == (what == "contractions")
    hot = run(*words, "--what", "terms", "--temperature", "tau", "--output", "hot.tex")
    assert hot.code == 2 and "are drawn for flows without noise" in hot.err
    few = run(*words, "--what", "contractions", "--at-most", "1", "--output", "few.tex")
    assert few == (0, "written: few.tex; 1 more do not fit, see --at-most\n", "")


def test_another_loss_is_drawn_without_its_data(run: Run, folder: Path) -> None:
    words = ("tied-autoencoder", "--data", "--what", "blocks", "--output", "loss.tex")
    for loss, has_data in (("train", True), ("population", False)):
        assert run("draw", *words, "--loss", loss).code == 0
        text = (folder / "loss.tex").read_text(encoding="utf-8")
        assert ("N^{-1}" in text) == has_data and "$R" in text


def test_help_has_examples(run: Run) -> None:
    done = run("draw", "--help")
    assert done.code == 0
    assert done.out.count("diagflow draw cp") == 2 and "--observable ntk-trace" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SYM,), "draw: --output is missing; name a file such as diagrams.svg"),
        (
            (*SYM, "--output", "a.jpg"),
            "drawing a.jpg: its extension is not one of svg, pdf, png, tex; rename it",
        ),
        (
            (*SYM, "--output", "none/a.svg"),
            "drawing none/a.svg: the folder none does not exist; make it first",
        ),
        (
            (
                *("cp", "--order", "4", "--symmetric", "--what", "contractions", "--terms", "2"),
                *("--output", "a.tex", "--at-most", "400"),
            ),
            "diagram with 16 factors: has 2027025 contractions, more than 200000; draw fewer terms",
        ),
        (
            (*SYM, "--what", "terms", "--terms", "-1", "--output", "a.tex"),
            "draw: Y_0 ... Y_-1: s counts time derivatives; give --terms 0 or more",
        ),
        (
            (*SYM, "--at-most", "0", "--output", "a.tex"),
            "draw: at most 0 pictures: there must be at least one; give a larger number",
        ),
        (
            (*SYM, "--observable", "ntk-trase", "--output", "a.tex"),
            "loss 'ntk-trase': cp has no such loss or observable; choose one of train, alignment, "
            "model-norm, ntk-trace, weight-norm",
        ),
    ],
)
def test_refusals_are_one_line(
    run: Run, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    assert run("draw", *arguments) == (2, "", f"diagflow: error: {message}\n")
    assert not os.listdir(folder)

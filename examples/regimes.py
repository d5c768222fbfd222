"""The learning regimes of a problem file: run with `python examples/regimes.py`."""

from pathlib import Path

from diagflow import read_problem_file, regimes

problem = read_problem_file(Path(__file__).with_name("skip_connection.toml"))
regime_set = regimes(problem, terms=4)
print(regime_set)
for regime in regime_set:
    if regime.learning.value == "rich" and not regime.dimension:
        print(regime.name, "learns; natural T:", dict(regime.natural_time))

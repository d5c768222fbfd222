"""Pages that a person walks through: one problem with all its regimes, and an index of many.

- `diagflow.atlas.record`: everything a page shows, as plain data;
- `diagflow.atlas.shapes`, `formulas`, `tables`, `pictures`: the parts of that record;
- `diagflow.atlas.page`: the self-contained HTML file around a record;
- `diagflow.atlas.explorer`: from a problem to its page, within limits;
- `diagflow.atlas.index`, `build`: many problems with an index.

The folder ``static`` has the style sheets and scripts of the pages, and the library KaTeX with its
fonts and licence (MIT), which sets the mathematics. Import the modules; they stand on the solutions
of `pde` and on `diagflow.show`, and only the commands ``report --html`` and ``atlas`` use them.
"""

"""``python -m diagflow`` is the command ``diagflow``, and this is where both begin.

The command line is imported inside a guard: an interrupt while that happens is one line as well.
"""

import sys

__all__ = ["main"]

INTERRUPTED = 130
"""That of `diagflow.commands.shared_options`, which may not be imported yet."""


def main() -> None:
    """Import the command line and run it."""
    try:
        from diagflow.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("diagflow: interrupted\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()

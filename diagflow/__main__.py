"""``python -m diagflow`` is the command ``diagflow``."""

from diagflow.cli import main

if __name__ == "__main__":
    main()

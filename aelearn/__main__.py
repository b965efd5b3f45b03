"""`python -m aelearn` runs the command `aelearn`."""

import sys

from aelearn.cli import main

if __name__ == "__main__":
    sys.exit(main())

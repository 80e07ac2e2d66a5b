"""``python -m her2study.cli``: the command where it is not on the path."""

import sys

from her2study.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""`python -m z4j` = `z4j`."""

import sys

from .cli import main

sys.exit(main())

"""`python -m z4j_scheduler`."""

import sys

from .cli.main import main

sys.exit(main())

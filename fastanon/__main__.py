"""``python -m fastanon``."""

import sys

from fastanon.cli import main

sys.exit(main())

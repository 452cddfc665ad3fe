"""`python -m simulation`: see `simulation.program`."""

import sys

from simulation.program import main

sys.exit(main())

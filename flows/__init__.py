"""The two doors of the project: Prefect flows, and the command line."""

import gc

# Importing makes some hundred thousand objects that stay. To walk them after each 700 that are
# made, as is usual, is a tenth of what starting a command or a hand costs (docs/performance.md).
gc.set_threshold(50_000, 20, 20)

"""Speed and memory, printed as ratios against a baseline run beside each; nothing is asserted."""

import dashboard  # noqa: F401 - before numpy, as in the product, which sets how many threads numpy uses

"""Speed and memory, printed as ratios against a baseline run beside each; nothing is asserted."""

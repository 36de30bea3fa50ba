"""How fast headscope is, beside the tools that do the same by one forward pass per cell.

python -m benchmarks --json FILE [--quick]      or  headscope bench, or make bench
"""

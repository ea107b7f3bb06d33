"""What the application costs, each figure beside the least that the same work can cost.

``make bench`` prints a table; ``python -m bench --help`` tells how to run rows alone. Nothing
here is a test: times depend on the machine, and the ratios are what to compare.
"""

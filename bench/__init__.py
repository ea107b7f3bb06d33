"""What the application costs, each figure beside its floor: the least that the work can cost.

``make bench`` prints a table; ``python -m bench --help`` lists the rows, to measure some of them.
Nothing here is a test: times depend on the machine, so compare the ratios.
"""

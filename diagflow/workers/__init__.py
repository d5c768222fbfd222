"""Other processes: the executors that the command line offers, and what a worker does first.

`executors` makes them, `lifetime` ties a worker to its parent, `startup` imports what is slow
before it is needed. It stands on `diagrams.engine`; the commands use it.
"""

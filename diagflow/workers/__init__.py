"""Other processes: the executors that the command line offers, and the life of a worker.

`executors` makes them, `lifetime` ties a worker to its parent, `startup` imports slow libraries
before they are needed. It stands on `diagrams.engine`; the commands import its modules.
"""

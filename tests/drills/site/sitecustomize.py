"""Read by every Python process of a drill when it starts: those that plan or run jobs know the exchange of the drills."""

import sys

if {"cluster.run.worker", "--multiprocessing-fork", "resume"} & set(sys.orig_argv):
    from tests.drills import exchange

    exchange.know()

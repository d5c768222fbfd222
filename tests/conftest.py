"""What all tests rely on.

No test touches the store in the user's cache; those about stores name a file. And an interrupt
interrupts: a shell that runs the tests in the background lets them, and all they start, ignore it.
"""

import os
import signal

os.environ["DIAGFLOW_STORE"] = "off"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

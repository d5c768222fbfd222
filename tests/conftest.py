"""No test touches the store in the user's cache; those about stores name a file."""

import os

os.environ["DIAGFLOW_STORE"] = "off"

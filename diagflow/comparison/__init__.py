"""Theory next to simulation: verdicts, finite-size corrections, representative numbers.

`verdict` decides whether an ensemble agrees with a loss evolution; `regime` makes both for a regime
at given numbers, `steps` for discrete time; `finite_size` estimates how far a finite problem is
from its leading terms; `representative` chooses sizes and times. It stands on
`diagflow.simulation` and `pde`; commands, reports and plots import its modules.
"""

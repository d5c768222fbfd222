"""Theory beside simulation: verdicts, finite-size corrections, representative numbers.

`verdict` decides whether an ensemble agrees with a loss evolution; `regime` makes both for a regime
at given numbers; `finite_size` says how far a finite problem is from its leading terms. It stands
on `diagflow.simulation` and `pde`; commands, reports and plots use it.
"""

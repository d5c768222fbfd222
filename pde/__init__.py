"""Layer 3, summation: from leading coefficients to the evolution of the loss.

The coefficients C_n of a regime's leading series satisfy a recurrence; the recurrence is a
first-order partial differential equation for the series' generating function; its
characteristics give a closed form or certified numerics. This layer stands on ``expansion``
and ``diagrams`` and arrives after the exact engine.
"""

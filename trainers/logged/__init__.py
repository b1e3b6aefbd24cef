"""Which action pays, learnt from what was tried and logged: off-policy estimates, and the simplest bandits."""

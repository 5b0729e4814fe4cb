"""How much memory a model needs, what fits where, and the arguments that follow."""

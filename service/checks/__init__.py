"""The checks: one module a check, each with VALUES, Params and check(). `run` is the only caller of them."""

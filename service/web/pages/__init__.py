"""Pages for people: one module an area, each with its `router`."""

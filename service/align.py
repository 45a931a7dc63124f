"""Two texts sentence by sentence: which say the same, in which words."""

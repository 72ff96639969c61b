"""Who submits, and what: the claim on a results tree, the jobs of a run, and Luigi, which asks for them in order."""

"""How a run stands and how it ended: progress, causes, the ledger."""

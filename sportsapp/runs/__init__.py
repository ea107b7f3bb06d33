"""The ledger of task runs: what every task did, whatever dies."""

"""Who is told: one small file per receiver; `base` has the contract and the table of all that are known."""

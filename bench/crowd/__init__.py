"""What the benchmarks of a crowd share: servers, a market, and the load."""

"""The scaled topology under load while processes are killed and servers are away: load, judge and plans."""

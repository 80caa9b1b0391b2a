"""The whole product on one machine: its processes, its invented banks, its story."""

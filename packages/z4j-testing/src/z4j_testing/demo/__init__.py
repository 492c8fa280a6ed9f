"""A believable shop under z4j: real broker, real workers, real failures. Nothing is simulated."""

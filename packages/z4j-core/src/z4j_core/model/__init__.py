"""What z4j talks about: tasks, workers, queues, commands. Plain data, no I/O."""

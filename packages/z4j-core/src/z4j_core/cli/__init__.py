"""Commands of the agent's side: one file each, `main(argv) -> exit code`."""

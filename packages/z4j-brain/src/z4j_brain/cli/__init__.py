"""Commands of the brain, one file each: `main(argv) -> int`."""

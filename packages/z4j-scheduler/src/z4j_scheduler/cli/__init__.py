"""What people type: `z4j-scheduler <command>`, which is `z4j scheduler <command>` too."""

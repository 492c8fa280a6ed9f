"""What every endpoint shares. The rule: a route without a declared action does not exist."""

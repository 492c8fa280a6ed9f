"""When something is due. The rule: what is pure here knows neither clock nor chance nor I/O."""

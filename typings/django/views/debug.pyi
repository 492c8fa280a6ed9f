import re

class SafeExceptionReporterFilter:
    hidden_settings: re.Pattern[str]

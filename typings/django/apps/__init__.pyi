class AppConfig:
    name: str
    verbose_name: str
    def ready(self) -> None: ...

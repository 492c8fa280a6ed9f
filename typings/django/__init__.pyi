VERSION: tuple[int, int, int, str, int]

"""The shop's own code. The rule: each department uses its task queue as anybody would.

| department | queue | what it does |
|---|---|---|
| `tasks` | Celery | orders, payments, mail, pictures, reports |
| `invoices` | RQ | invoices and their archive |
| `warehouse` | Dramatiq | picking and stock |
| `catalogue` | Huey | prices and pages |
| `carriers` | arq | parcels and pickups |
| `search` | taskiq | the search index |

Customers order at `front` (FastAPI), staff works in `office` (Django). z4j is named where these two
and the Celery app are made; the other workers start under `z4j run`.
"""

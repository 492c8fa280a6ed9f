"""z4j in a Django project: `INSTALLED_APPS += ["z4j_django"]`. Importing starts nothing."""
